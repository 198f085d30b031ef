#pragma once

#include <cstddef>
#include <span>

#include <dformer/backend/cuda/conv2d.hpp>
#include <dformer/backend/cuda/gradients/linear.hpp>
#include <dformer/backend/cuda/library.hpp>
#include <dformer/backend/cuda/tensor.hpp>
#include <dformer/backend/gradient_shapes.hpp>

namespace dformer::cuda {

template <class T>
struct ConvolutionGradientOps {
  /// dy [N, H', W', O] by weight [O, I, k, k] gives the gradient of x [N, H, W, I], whose shape is given.
  /// Throws: ShapeError.
  static Tensor<T> conv2d_input(const Tensor<T>& dy, const Tensor<T>& weight, const Window& window,
                                const Shape& x) {
    const Shape shape = shapes::conv2d_input(dy.shape(), weight.shape(), window, x);
    require_one_device("conv2d_input", dy, weight);
    if (is_pointwise(window)) return LinearGradientOps<T>::linear_input(dy, weight);
    Tensor<T> dx(dy.device(), shape);
    if (shape.numel() == 0) return dx;
    library::convolve_input(dx.device().libraries(), convolution<T>(shape, dy.shape(), window), dy.data(),
                            weight.data(), dx.data());
    return dx;
  }

  /// x [N, H, W, I] and dy [N, H', W', O] give the gradient of a weight of shape [O, I, k, k], in float32 and
  /// the weight's order. Throws: ShapeError.
  static Tensor<T> conv2d_weight(const Tensor<T>& x, const Tensor<T>& dy, const Window& window,
                                 const Shape& weight) {
    const Shape shape = shapes::conv2d_weight(x.shape(), dy.shape(), window, weight);
    require_one_device("conv2d_weight", x, dy);
    if (is_pointwise(window)) return LinearGradientOps<T>::linear_weight(std::span(&x, 1), dy, shape);
    Tensor<T> dw(dy.device(), shape, Elements::full);
    if (x.elements() == 0) {
      fill_with_zeros(dw);
      return dw;
    }
    library::convolve_weight(dw.device().libraries(), convolution<T>(x.shape(), dy.shape(), window), x.data(),
                             dy.data(), dw.full_data());
    return dw;
  }
};

}  // namespace dformer::cuda
