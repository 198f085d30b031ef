#pragma once

#include <algorithm>
#include <array>
#include <cstddef>

namespace dformer {

/// Whether `multiple * num_heads[i]` divides `dims[i]` in every stage.
constexpr bool heads_divide_dims(const std::array<int, 4>& dims, const std::array<int, 4>& num_heads,
                                 int multiple) {
  for (std::size_t i = 0; i < dims.size(); ++i) {
    if (num_heads[i] < 1 || dims[i] % (multiple * num_heads[i]) != 0) return false;
  }
  return true;
}

/// Whether every stage has at least one block.
constexpr bool has_blocks_everywhere(const std::array<int, 4>& depths) {
  return std::ranges::min(depths) >= 1;
}

}  // namespace dformer
