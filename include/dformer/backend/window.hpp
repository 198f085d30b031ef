#pragma once

#include <cstdint>

namespace dformer {

/// The window of a convolution, square in all its parts, as in PyTorch's Conv2d.
struct Window {
  int kernel = 1;
  int stride = 1;
  int padding = 0;
  int dilation = 1;

  /// Extent of the output for an input extent; not positive where the window does not fit.
  constexpr std::int64_t output_extent(std::int64_t input) const {
    const std::int64_t span = input + 2 * padding - dilation * (kernel - 1) - 1;
    return span < 0 ? 0 : span / stride + 1;
  }

  friend constexpr bool operator==(const Window& a,
                                   const Window& b) {  // not defaulted: this is C++17, for GPUs
    return a.kernel == b.kernel && a.stride == b.stride && a.padding == b.padding && a.dilation == b.dilation;
  }
};

}  // namespace dformer
