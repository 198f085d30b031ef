#pragma once

#include <type_traits>

#include <dformer/backend/cuda/epilogue.hpp>
#include <dformer/backend/cuda/kernels/depthwise_conv2d.hpp>
#include <dformer/backend/cuda/kernels/depthwise_on_tensor_cores.hpp>
#include <dformer/backend/cuda/tensor.hpp>
#include <dformer/backend/shapes.hpp>
#include <dformer/backend/window.hpp>

namespace dformer::cuda {

/// By the kernels that the device, the type and the shape allow.
template <class T>
void depthwise_conv2d(const Device& device, const DepthwiseArgs<T>& args) {
  if constexpr (!std::is_same_v<T, float>) {
    if (device.has_tensor_cores() && is_for_tensor_cores(args)) {
      return depthwise_conv2d_on_tensor_cores(args, device.stream());
    }
  }
  depthwise_conv2d(args, device.stream());
}

template <class T>
struct DepthwiseOps {
  /// x [N, H, W, C] by weight [C, 1, k, k] gives [N, H', W', C]: each channel by its own filter. Throws:
  /// ShapeError.
  static Tensor<T> depthwise_conv2d(const Tensor<T>& x, const Tensor<T>& weight, const Window& window,
                                    const Epilogue<Tensor<T>>& epilogue) {
    const Shape shape = shapes::depthwise_conv2d(x.shape(), weight.shape(), window);
    require_one_device("depthwise_conv2d", x, weight);
    const EpilogueOperands<T> operands = epilogue_operands("depthwise_conv2d", x, shape, epilogue);
    Tensor<T> y(x.device(), shape);
    cuda::depthwise_conv2d(
        x.device(), DepthwiseArgs<T>{x.data(), weight.data(), y.data(), operands, window, false, shape[0],
                                     x.shape()[1], x.shape()[2], shape[3], shape[1], shape[2]});
    return y;
  }
};

}  // namespace dformer::cuda
