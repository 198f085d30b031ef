#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include <dformer/backend/concat_shape.hpp>
#include <dformer/backend/cuda/element_type.hpp>
#include <dformer/backend/cuda/library.hpp>
#include <dformer/backend/cuda/tensor.hpp>
#include <dformer/backend/gradient_shapes.hpp>

namespace dformer::cuda {

template <class T>
struct LinearGradientOps {
  /// dy [..., O] by weight [O, I] (or [O, I, 1, 1]) gives [..., I]. Throws: ShapeError.
  static Tensor<T> linear_input(const Tensor<T>& dy, const Tensor<T>& weight) {
    const Shape shape = shapes::linear_input(dy.shape(), weight.shape());
    require_one_device("linear_input", dy, weight);
    Tensor<T> dx(dy.device(), shape);
    if (shape.numel() == 0) return dx;
    library::multiply(dx.device().libraries(), {.type = element_type<T>(),
                                                .result_type = element_type<T>(),
                                                .a = dy.data(),
                                                .b = weight.data(),
                                                .y = dx.data(),
                                                .rows = shape.rows(),
                                                .columns = shape.back(),
                                                .depth = dy.shape().back(),
                                                .transpose_a = false,
                                                .transpose_b = false,
                                                .leading_a = dy.shape().back(),
                                                .leading_b = shape.back(),
                                                .leading_y = shape.back(),
                                                .beta = 0.0f,
                                                .bias = nullptr});
    return dx;
  }

  /// Inputs [..., C_i], taken as concatenated, and dy [..., O] give the gradient of a weight of shape [O, sum
  /// C_i], in float32: for each input its own columns. Throws: ShapeError.
  static Tensor<T> linear_weight(std::span<const Tensor<T>> inputs, const Tensor<T>& dy,
                                 const Shape& weight) {
    const Shape x = shapes::concat_shape("linear_weight", inputs);
    const Shape shape = shapes::linear_weight(x, dy.shape(), weight);
    for (const Tensor<T>& input : inputs) require_one_device("linear_weight", input, dy);
    const Device& device = dy.device();
    Tensor<T> dw(device, shape, Elements::full);
    if (x.rows() == 0) {
      fill_with_zeros(dw);
      return dw;
    }
    float* to = dw.full_data();
    for (const Tensor<T>& input : inputs) {
      const std::int64_t channels = input.shape().back();
      if (channels == 0) continue;
      library::multiply(device.libraries(), {.type = element_type<T>(),
                                             .result_type = DType::float32,
                                             .a = dy.data(),
                                             .b = input.data(),
                                             .y = to,
                                             .rows = shape[0],
                                             .columns = channels,
                                             .depth = x.rows(),
                                             .transpose_a = true,
                                             .transpose_b = false,
                                             .leading_a = shape[0],
                                             .leading_b = channels,
                                             .leading_y = x.back(),
                                             .beta = 0.0f,
                                             .bias = nullptr});
      to += channels;
    }
    return dw;
  }
};

}  // namespace dformer::cuda
