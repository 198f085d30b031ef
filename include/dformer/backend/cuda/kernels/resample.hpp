#pragma once

#include <cstdint>

#include <dformer/backend/cuda/kernels/resize_axis.hpp>
#include <dformer/backend/cuda/stream.hpp>
#include <dformer/core/half.hpp>

// Launchers of the kernels in device/adaptive_avg_pool.cuh, resize_bilinear.cuh and resize_argmax.cuh, for T
// float, half and bfloat16.
namespace dformer::cuda {

/// Means over the windows [floor(i * H / h), ceil((i + 1) * H / h)) in both axes of x [images, H, W,
/// channels], into the first `channels` of `y_channels` channels at y.
template <class T>
struct PoolArgs {
  const T* x;
  T* y;
  float* sums;  ///< [splits][windows][channels]; unused where there is one split
  std::int64_t images;
  std::int64_t height;
  std::int64_t width;
  std::int64_t channels;
  std::int64_t y_height;
  std::int64_t y_width;
  std::int64_t y_channels;
  std::int64_t splits;  ///< parts of a window that are summed by themselves

  std::int64_t windows() const { return images * y_height * y_width; }
};
template <class T>
void adaptive_avg_pool(const PoolArgs<T>& args, Stream stream);

/// Bilinear interpolation of x [images, rows.input, columns.input, channels].
template <class T>
struct ResizeArgs {
  const T* x;
  T* y;
  ResizeAxis rows;
  ResizeAxis columns;
  std::int64_t images;
  std::int64_t channels;
};
template <class T>
void resize_bilinear(const ResizeArgs<T>& args, Stream stream);

/// The first largest class, from 1 to 256 of them, at each pixel of the resized logits.
template <class T>
struct ResizeArgmaxArgs {
  const T* logits;
  std::uint8_t* y;
  ResizeAxis rows;
  ResizeAxis columns;
  std::int64_t images;
  int classes;
};
template <class T>
void resize_argmax(const ResizeArgmaxArgs<T>& args, Stream stream);

}  // namespace dformer::cuda
