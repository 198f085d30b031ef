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

/// Whether no stage has less than `least`.
constexpr bool at_least(int least, const std::array<int, 4>& values) {
  return std::ranges::min(values) >= least;
}

}  // namespace dformer
