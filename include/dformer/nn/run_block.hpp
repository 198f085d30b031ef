#pragma once

namespace dformer {

/// block(inputs...). A backend that records gradients may take it as a unit and compute it again for backward
/// instead of keeping what it saved.
template <class Block, class... Inputs>
auto run_block(const Block& block, const Inputs&... inputs) {
  using B = typename Block::Backend;
  if constexpr (requires { B::run_block(block, inputs...); }) {
    return B::run_block(block, inputs...);
  } else {
    return block(inputs...);
  }
}

}  // namespace dformer
