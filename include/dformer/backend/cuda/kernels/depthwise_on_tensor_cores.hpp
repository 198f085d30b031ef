#pragma once

#include <cstdint>
#include <limits>

#include <dformer/backend/cuda/kernels/depthwise_conv2d.hpp>

// Launcher of the kernels in device/depthwise_on_tensor_cores.cuh, for T half and bfloat16.
namespace dformer::cuda {

/// Whether the kernels take a convolution, and are faster on an H200 than those without tensor cores: 7x7,
/// and 5x5 of large images, without stride and dilation, with channels in packs of 16 bytes. 3x3 is not.
template <class T>
bool is_for_tensor_cores(const DepthwiseArgs<T>& args) {
  constexpr std::int64_t most = std::numeric_limits<int>::max(), large = std::int64_t{1} << 23;
  const Window& window = args.window;
  const std::int64_t image = args.y_height * args.y_width * args.channels;
  return (window.kernel == 7 || (window.kernel == 5 && args.images * image >= large)) && window.stride == 1 &&
         window.dilation == 1 && args.channels % 8 == 0 && args.height * args.width * args.channels <= most &&
         image <= most;
}

/// is_for_tensor_cores(args), on a device that has them. A filter's products are exact and summed in float32,
/// but with the zeros of its neighbours: an infinity or NaN makes NaN in eight channels, where only its own
/// would have one.
template <class T>
void depthwise_conv2d_on_tensor_cores(const DepthwiseArgs<T>& args, Stream stream);

}  // namespace dformer::cuda
