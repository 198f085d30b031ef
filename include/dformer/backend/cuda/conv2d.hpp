#pragma once

#include <span>

#include <dformer/backend/cuda/element_type.hpp>
#include <dformer/backend/cuda/epilogue.hpp>
#include <dformer/backend/cuda/library.hpp>
#include <dformer/backend/cuda/linear.hpp>
#include <dformer/backend/cuda/tensor.hpp>
#include <dformer/backend/shapes.hpp>
#include <dformer/backend/window.hpp>

namespace dformer::cuda {

/// Whether a convolution is the product of its pixels with the weight.
constexpr bool is_pointwise(const Window& window) {
  return window.kernel == 1 && window.stride == 1 && window.padding == 0;
}

/// x [N, H, W, I] to y [N, H', W', O], for the library. No extent is 0.
template <class T>
library::Convolution convolution(const Shape& x, const Shape& y, const Window& window) {
  return {.type = element_type<T>(),
          .images = x[0],
          .height = x[1],
          .width = x[2],
          .inputs = x[3],
          .y_height = y[1],
          .y_width = y[2],
          .outputs = y[3],
          .window = window};
}

template <class T>
struct ConvolutionOps {
  /// x [N, H, W, I] by weight [O, I, k, k] gives [N, H', W', O]. Throws: ShapeError.
  static Tensor<T> conv2d(const Tensor<T>& x, const Tensor<T>& weight, const Window& window,
                          const Epilogue<Tensor<T>>& epilogue) {
    const Shape shape = shapes::conv2d(x.shape(), weight.shape(), window);
    require_one_device("conv2d", x, weight);
    const EpilogueOperands<T> operands = epilogue_operands("conv2d", x, shape, epilogue);
    if (is_pointwise(window)) return LinearOps<T>::linear(std::span(&x, 1), weight, epilogue);
    Tensor<T> y(x.device(), shape);
    if (shape.numel() == 0) return y;
    library::convolve(y.device().libraries(), convolution<T>(x.shape(), shape, window), x.data(),
                      weight.data(), y.data());
    finish(y, operands);
    return y;
  }
};

}  // namespace dformer::cuda
