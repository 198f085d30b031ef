#pragma once

#include <cstdint>

namespace dformer {

/// What a network reads as depth: the official 8-bit picture of DFormer, stretched over each image, or
/// lengths in metres. Either is normalised first (data/normalization.hpp).
enum class DepthInput : std::uint8_t { greys, metres };

/// That of a network, which is greys unless it says otherwise.
template <class Network>
constexpr DepthInput depth_input_of(const Network& network) {
  if constexpr (requires { network.depth_input; }) {
    return network.depth_input;
  } else {
    return DepthInput::greys;
  }
}

}  // namespace dformer
