#pragma once

#include <cstdint>

#include <dformer/backend/cuda/kernels/epilogue.hpp>
#include <dformer/backend/cuda/stream.hpp>
#include <dformer/backend/window.hpp>
#include <dformer/core/half.hpp>

// Launchers of the kernels in device/depthwise_conv2d.cuh, for T float, half and bfloat16.
namespace dformer::cuda {

/// Depthwise convolution of x [images, height, width, channels] by weight [kernel * kernel][channels].
template <class T>
struct DepthwiseArgs {
  const T* x;
  const T* weight;
  T* y;
  EpilogueOperands<T> epilogue;
  Window window;
  bool turned;  ///< whether the filters are meant turned by half a circle
  std::int64_t images;
  std::int64_t height;
  std::int64_t width;
  std::int64_t channels;
  std::int64_t y_height;
  std::int64_t y_width;
};
template <class T>
void depthwise_conv2d(const DepthwiseArgs<T>& args, Stream stream);

}  // namespace dformer::cuda
