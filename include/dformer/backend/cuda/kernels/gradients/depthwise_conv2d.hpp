#pragma once

#include <cstdint>

#include <dformer/backend/cuda/stream.hpp>
#include <dformer/backend/window.hpp>
#include <dformer/core/half.hpp>

// Launchers of the kernels in device/gradients/depthwise_conv2d.cuh, for T float, half and bfloat16.
namespace dformer::cuda {

/// The gradient of the input of any depthwise convolution; those of stride 1 are one themselves.
template <class T>
struct DepthwiseInputArgs {
  const T* dy;      ///< [images][y_height][y_width][channels]
  const T* weight;  ///< [kernel * kernel][channels]
  T* dx;            ///< [images][height][width][channels]
  Window window;
  std::int64_t images;
  std::int64_t height;
  std::int64_t width;
  std::int64_t channels;
  std::int64_t y_height;
  std::int64_t y_width;
};
template <class T>
void depthwise_conv2d_input(const DepthwiseInputArgs<T>& args, Stream stream);

/// The gradient of the weight, [kernel * kernel][channels]: parts of dy are summed each by itself, and these
/// slices then added in one order.
template <class T>
struct DepthwiseWeightArgs {
  const T* x;   ///< [images][height][width][channels]
  const T* dy;  ///< [images][y_height][y_width][channels]
  float* sums;  ///< [depthwise_conv2d_weight_slices][kernel * kernel][channels]
  float* dw;
  Window window;
  std::int64_t images;
  std::int64_t height;
  std::int64_t width;
  std::int64_t channels;
  std::int64_t y_height;
  std::int64_t y_width;
};
template <class T>
std::int64_t depthwise_conv2d_weight_slices(const DepthwiseWeightArgs<T>& args);
template <class T>
void depthwise_conv2d_weight(const DepthwiseWeightArgs<T>& args, Stream stream);

}  // namespace dformer::cuda
