#pragma once

#include <algorithm>
#include <cstdint>

#include <dformer/backend/window.hpp>

namespace dformer::cpu {

/// Along one axis of a convolution: the outputs [begin, end) whose window has its tap `tap` on the positions
/// [first, last) of the input.
struct TapOutputs {
  std::int64_t begin;
  std::int64_t end;

  TapOutputs(const Window& window, int tap, std::int64_t first, std::int64_t last, std::int64_t outputs)
      : begin(from(window, tap, first, outputs)), end(from(window, tap, last, outputs)) {}

  /// Those of them that are also in [first, last).
  TapOutputs within(std::int64_t first, std::int64_t last) const {
    TapOutputs result = *this;
    result.begin = std::max(begin, first);
    result.end = std::min(end, last);
    return result;
  }

  /// Of a tap, at an output; outside the input it may be negative or too large.
  static std::int64_t position(const Window& window, int tap, std::int64_t output) {
    return output * window.stride + std::int64_t{tap} * window.dilation - window.padding;
  }

 private:
  /// The first output whose tap is on `position` or behind it.
  static std::int64_t from(const Window& window, int tap, std::int64_t position, std::int64_t outputs) {
    const std::int64_t distance = position + window.padding - std::int64_t{tap} * window.dilation;
    return distance <= 0 ? 0 : std::min((distance + window.stride - 1) / window.stride, outputs);
  }
};

}  // namespace dformer::cpu
