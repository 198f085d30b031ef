#pragma once

#include <cstdint>

namespace dformer::cuda {

/// How the rows (or columns) of a resized image lie between those of its input; see device/resize_tap.cuh.
struct ResizeAxis {
  int input;
  int output;
  float scale;  ///< from an output position to one in the input
  bool align_corners;
};

/// By PyTorch's rule: pixel centres correspond, or (align_corners) first and last pixel do. In float32, as
/// there.
inline ResizeAxis resize_axis(std::int64_t input, std::int64_t output, bool align_corners) {
  const std::int64_t less = align_corners ? 1 : 0;
  const auto inner = static_cast<float>(input - less), outer = static_cast<float>(output - less);
  return {static_cast<int>(input), static_cast<int>(output), outer > 0.0f ? inner / outer : 0.0f,
          align_corners};
}

}  // namespace dformer::cuda
