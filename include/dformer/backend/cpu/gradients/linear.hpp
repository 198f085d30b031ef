#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include <dformer/backend/cpu/concat_shape.hpp>
#include <dformer/backend/cpu/gradients/transposed_weight.hpp>
#include <dformer/backend/cpu/gradients/weight_gradient.hpp>
#include <dformer/backend/cpu/linear.hpp>
#include <dformer/backend/gradient_shapes.hpp>

namespace dformer::cpu {

template <class T>
struct LinearGradientOps {
  /// dy [..., O] by weight [O, I] (or [O, I, 1, 1]) gives [..., I]. Throws: ShapeError.
  static Tensor<T> linear_input(const Tensor<T>& dy, const Tensor<T>& weight) {
    const Shape shape = shapes::linear_input(dy.shape(), weight.shape());
    const std::span<const Tensor<T>> rows(&dy, 1);
    Tensor<T> dx(dy.device(), shape);
    matrix_product(ConcatenatedRows<T>{rows, dy.shape().rows(), dy.shape().back()},
                   transposed_weight(weight, 1), {}, dx);
    return dx;
  }

  /// Inputs [..., C_i], taken as concatenated, and dy [..., O] give the gradient of a weight of shape [O, sum
  /// C_i], packed as the weight is. Throws: ShapeError.
  static Tensor<T> linear_weight(std::span<const Tensor<T>> inputs, const Tensor<T>& dy,
                                 const Shape& weight) {
    const Shape x = concat_shape<T>("linear_weight", inputs);
    const Shape shape = shapes::linear_weight(x, dy.shape(), weight);
    Tensor<T> dw(dy.device(), shape, packed_elements(WeightLayout::dense, shape));
    const std::vector<WeightColumns<T>> pieces = columns_of(inputs);
    weight_gradient<T>(pieces, nothing_to_gather, x.rows(), dy, dw);
    return dw;
  }

 private:
  static void nothing_to_gather(const WeightColumns<T>&, std::int64_t, std::int64_t, T*) {}

  static std::vector<WeightColumns<T>> columns_of(std::span<const Tensor<T>> inputs) {
    constexpr std::int64_t most_columns = 512;
    std::vector<WeightColumns<T>> pieces;
    std::int64_t begin = 0;
    for (const Tensor<T>& input : inputs) {
      const std::int64_t channels = input.shape().back();
      const std::int64_t parts = (channels + most_columns - 1) / most_columns;
      for (std::int64_t part = 0; part < parts; ++part) {
        const std::int64_t from = channels * part / parts, to = channels * (part + 1) / parts;
        pieces.push_back({begin + from, to - from, input.data() + from, channels});
      }
      begin += channels;
    }
    return pieces;
  }
};

}  // namespace dformer::cpu
