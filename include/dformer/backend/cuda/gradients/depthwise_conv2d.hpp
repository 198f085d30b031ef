#pragma once

#include <cstdint>

#include <dformer/backend/cuda/depthwise_conv2d.hpp>
#include <dformer/backend/cuda/kernels/gradients/depthwise_conv2d.hpp>
#include <dformer/backend/cuda/tensor.hpp>
#include <dformer/backend/gradient_shapes.hpp>

namespace dformer::cuda {

template <class T>
struct DepthwiseGradientOps {
  /// dy [N, H', W', C] by weight [C, 1, k, k] gives the gradient of x [N, H, W, C], whose shape is given.
  /// Throws: ShapeError.
  static Tensor<T> depthwise_conv2d_input(const Tensor<T>& dy, const Tensor<T>& weight, const Window& window,
                                          const Shape& x) {
    const Shape shape = shapes::depthwise_conv2d_input(dy.shape(), weight.shape(), window, x);
    require_one_device("depthwise_conv2d_input", dy, weight);
    const Shape& y = dy.shape();
    Tensor<T> dx(dy.device(), shape);
    const int padding = window.dilation * (window.kernel - 1) - window.padding;
    if (window.stride == 1 && padding >= 0) {
      const Window back{window.kernel, 1, padding, window.dilation};
      cuda::depthwise_conv2d(dy.device(), DepthwiseArgs<T>{dy.data(),
                                                           weight.data(),
                                                           dx.data(),
                                                           {},
                                                           back,
                                                           true,
                                                           y[0],
                                                           y[1],
                                                           y[2],
                                                           shape[3],
                                                           shape[1],
                                                           shape[2]});
    } else {
      cuda::depthwise_conv2d_input(DepthwiseInputArgs<T>{dy.data(), weight.data(), dx.data(), window,
                                                         shape[0], shape[1], shape[2], shape[3], y[1], y[2]},
                                   dy.device().stream());
    }
    return dx;
  }

  /// x [N, H, W, C] and dy [N, H', W', C] give the gradient of a weight of shape [C, 1, k, k], float32 in the
  /// weight's order. Throws: ShapeError.
  static Tensor<T> depthwise_conv2d_weight(const Tensor<T>& x, const Tensor<T>& dy, const Window& window,
                                           const Shape& weight) {
    const Shape shape = shapes::depthwise_conv2d_weight(x.shape(), dy.shape(), window, weight);
    require_one_device("depthwise_conv2d_weight", x, dy);
    const Shape& y = dy.shape();
    Tensor<T> dw(dy.device(), shape, Elements::full);
    if (dy.elements() == 0) {
      fill_with_zeros(dw);
      return dw;
    }
    DepthwiseWeightArgs<T> args{x.data(),     dy.data(),    nullptr, dw.full_data(), window, y[0],
                                x.shape()[1], x.shape()[2], y[3],    y[1],           y[2]};
    Tensor<float> sums(dy.device(), Shape{depthwise_conv2d_weight_slices(args), shape.numel()});
    args.sums = sums.data();
    cuda::depthwise_conv2d_weight(args, dy.device().stream());
    return dw;
  }
};

}  // namespace dformer::cuda
