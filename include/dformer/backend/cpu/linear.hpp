#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include <dformer/backend/concat_shape.hpp>
#include <dformer/backend/cpu/epilogue.hpp>
#include <dformer/backend/cpu/matrix_product.hpp>
#include <dformer/backend/cpu/tensor.hpp>
#include <dformer/backend/shapes.hpp>

namespace dformer::cpu {

/// The rows of tensors [..., C_i], taken as concatenated along the last axis.
template <class T>
struct ConcatenatedRows {
  std::span<const Tensor<T>> inputs;
  std::int64_t count;
  std::int64_t depth;

  const T* in_memory() const { return inputs.size() == 1 ? inputs[0].data() : nullptr; }

  void gather(std::int64_t begin, std::int64_t end, T* to) const {
    for (const Tensor<T>& input : inputs) {
      const std::int64_t channels = input.shape().back();
      const T* from = input.data() + begin * channels;
      for (std::int64_t row = 0; row < end - begin; ++row) {
        std::memcpy(to + row * depth, from + row * channels, static_cast<std::size_t>(channels) * sizeof(T));
      }
      to += channels;
    }
  }
};

template <class T>
struct LinearOps {
  /// Inputs [..., C_i], taken as concatenated, by weight [O, sum C_i] (or [O, I, 1, 1]) gives [..., O].
  /// Throws: ShapeError.
  static Tensor<T> linear(std::span<const Tensor<T>> inputs, const Tensor<T>& weight,
                          const Epilogue<Tensor<T>>& epilogue) {
    const Shape x = shapes::concat_shape("linear", inputs);
    const Shape shape = shapes::linear(x, weight.shape());
    const EpilogueArgs<T> args = epilogue_args("linear", shape, epilogue);
    Tensor<T> y(weight.device(), shape);
    matrix_product(ConcatenatedRows<T>{inputs, x.rows(), x.back()}, weight, args, y);
    return y;
  }
};

}  // namespace dformer::cpu
