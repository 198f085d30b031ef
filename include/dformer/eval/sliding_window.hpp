#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include <dformer/core/error.hpp>

namespace dformer {

/// A window that is moved over an image, and by how much.
struct SlidingWindow {
  int height = 480;
  int width = 640;
  int stride_height = 320;
  int stride_width = 426;

  /// The official stride: two thirds of the window, the fraction cut off.
  static SlidingWindow with_official_stride(int height, int width) {
    constexpr double rate = 2.0 / 3.0;
    return {height, width, static_cast<int>(rate * height), static_cast<int>(rate * width)};
  }
  friend bool operator==(const SlidingWindow&, const SlidingWindow&) = default;
};

/// Throws: ArgumentError for a window without pixels and for strides that would skip some.
inline void require_valid(const SlidingWindow& window) {
  const auto fits = [](int stride, int extent) { return stride >= 1 && stride <= extent; };
  if (fits(window.stride_height, window.height) && fits(window.stride_width, window.width)) return;
  throw_argument_error("[sliding window] strides must be 1 up to the window's extents, got window " +
                       std::to_string(window.height) + "x" + std::to_string(window.width) + ", stride " +
                       std::to_string(window.stride_height) + "x" + std::to_string(window.stride_width));
}

/// Where the windows begin along one side of an image that is `extent` long, at least as long as the window;
/// the last one is shifted back to end with the image.
inline std::vector<int> window_starts(int extent, int window, int stride) {
  std::vector<int> starts;
  const int count = (extent - window + stride - 1) / stride + 1;
  for (int i = 0; i < count; ++i) starts.push_back(std::min(i * stride, extent - window));
  return starts;
}

}  // namespace dformer
