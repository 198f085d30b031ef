#pragma once

#include <cstdint>
#include <span>
#include <type_traits>
#include <utility>

#include <dformer/backend/concat_shape.hpp>
#include <dformer/backend/cuda/element_type.hpp>
#include <dformer/backend/cuda/epilogue.hpp>
#include <dformer/backend/cuda/library.hpp>
#include <dformer/backend/cuda/pointwise.hpp>
#include <dformer/backend/cuda/tensor.hpp>
#include <dformer/backend/shapes.hpp>

namespace dformer::cuda {

template <class T>
struct LinearOps {
  /// Inputs [..., C_i], taken as concatenated, by weight [O, sum C_i] (or [O, I, 1, 1]) gives [..., O].
  /// Throws: ShapeError.
  ///
  /// Several inputs are written side by side first, 2 R sum C_i elements more that are moved. A product for
  /// each input would move 2 R O for each after the first, as much at the networks' sizes, and round every
  /// sum between to T.
  static Tensor<T> linear(std::span<const Tensor<T>> inputs, const Tensor<T>& weight,
                          const Epilogue<Tensor<T>>& epilogue) {
    const Shape x = shapes::concat_shape("linear", inputs);
    const Shape shape = shapes::linear(x, weight.shape());
    EpilogueOperands<T> operands = epilogue_operands("linear", shape, epilogue);
    const Tensor<T> rows = inputs.size() == 1 ? inputs[0] : PointwiseOps<T>::concat(inputs);
    Tensor<T> y(rows.device(), shape);
    if (shape.numel() == 0) return y;
    const float* const bias = take_bias(operands);
    library::multiply(y.device().libraries(), {.type = element_type<T>(),
                                               .result_type = element_type<T>(),
                                               .a = rows.data(),
                                               .b = weight.data(),
                                               .y = y.data(),
                                               .rows = x.rows(),
                                               .columns = shape.back(),
                                               .depth = x.back(),
                                               .transpose_a = false,
                                               .transpose_b = true,
                                               .leading_a = x.back(),
                                               .leading_b = x.back(),
                                               .leading_y = shape.back(),
                                               .beta = 0.0f,
                                               .bias = bias});
    finish(y, operands);
    return y;
  }

 private:
  /// The part of an epilogue that the product itself does.
  static const float* take_bias(EpilogueOperands<T>& operands) {
    if (!std::is_same_v<T, float> || operands.scale != nullptr) return nullptr;
    return std::exchange(operands.shift, nullptr);
  }
};

}  // namespace dformer::cuda
