#pragma once

#include <cstdint>

namespace dformer::cpu {

/// Means over the windows [floor(i * H / h), ceil((i + 1) * H / h)) in both axes of x [N, H, W, C], into the
/// first C of `y_channels` channels at y. A task is an output pixel.
template <class T>
struct PoolArgs {
  const T* x;
  T* y;
  std::int64_t height;
  std::int64_t width;
  std::int64_t channels;
  std::int64_t y_height;
  std::int64_t y_width;
  std::int64_t y_channels;
};

}  // namespace dformer::cpu
