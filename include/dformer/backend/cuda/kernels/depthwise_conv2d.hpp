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

/// Whether an epilogue adds x itself to the sums, as the positional convolutions do: then it need not be read
/// again.
template <class T>
bool adds_input(const DepthwiseArgs<T>& args) {
  const EpilogueOperands<T>& epilogue = args.epilogue;
  return epilogue.residual == args.x && args.y_height == args.height && args.y_width == args.width &&
         epilogue.scale == nullptr && epilogue.activation == Activation::none &&
         epilogue.multiply == nullptr && epilogue.layer_scale == nullptr;
}

template <class T>
void depthwise_conv2d(const DepthwiseArgs<T>& args, Stream stream);

}  // namespace dformer::cuda
