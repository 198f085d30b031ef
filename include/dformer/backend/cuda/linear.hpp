#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <utility>

#include <dformer/backend/concat_shape.hpp>
#include <dformer/backend/cuda/element_type.hpp>
#include <dformer/backend/cuda/epilogue.hpp>
#include <dformer/backend/cuda/kernels/convert.hpp>
#include <dformer/backend/cuda/kernels/linear.hpp>
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
  /// Short sums in 16 bits are made by the backend's own kernel, from the inputs to the epilogue, unless
  /// there are many and no more than a bias is asked for: that cuBLASLt adds too, rounded to T. Otherwise
  /// several inputs are first written side by side, 2 R sum C_i elements more that are moved: a product for
  /// each would move 2 R O for each after the first, as much at the networks' sizes, and round every sum
  /// between to T.
  static Tensor<T> linear(std::span<const Tensor<T>> inputs, const Tensor<T>& weight,
                          const Epilogue<Tensor<T>>& epilogue) {
    const Shape x = shapes::concat_shape("linear", inputs);
    const Shape shape = shapes::linear(x, weight.shape());
    for (const Tensor<T>& input : inputs) require_one_device("linear", input, weight);
    const EpilogueOperands<T> operands = epilogue_operands("linear", weight, shape, epilogue);
    Tensor<T> y(inputs[0].device(), shape);
    if (shape.numel() == 0) return y;
    if constexpr (!std::is_same_v<T, float>) {
      const bool library_does_all = inputs.size() == 1 && operands.only_shifts() && is_large(x, shape);
      if (y.device().has_tensor_cores() && is_short(inputs.size(), x, shape) && !library_does_all) {
        const LinearArgs<T> args = own_args(inputs, weight, operands, y);
        if (args.fits()) {
          cuda::linear(args, y.device().stream());
          return y;
        }
      }
    }
    by_library(inputs.size() == 1 ? inputs[0] : PointwiseOps<T>::concat(inputs), weight, operands, y);
    return y;
  }

 private:
  /// Whether the own kernel is at least as fast as cuBLASLt's and the passes before and after it, by what an
  /// H200 takes for them. The shape alone decides, so that results are the same on every GPU.
  static bool is_short(std::size_t inputs, const Shape& x, const Shape& y) {
    const std::int64_t always = inputs > 1 ? 640 : 512;
    constexpr std::int64_t at_most = 1152, few_products = std::int64_t{1} << 30;
    return x.back() <= always || (x.back() <= at_most && y.numel() * x.back() <= few_products);
  }
  /// Whether cuBLASLt's kernel is faster though it does not start at once, as a bias is rounded for it first.
  static bool is_large(const Shape& x, const Shape& y) {
    return y.numel() * x.back() >= std::int64_t{1} << 28;
  }
  static LinearArgs<T> own_args(std::span<const Tensor<T>> inputs, const Tensor<T>& weight,
                                const EpilogueOperands<T>& epilogue, Tensor<T>& y) {
    LinearArgs<T> args{};
    args.input_count = static_cast<int>(inputs.size());
    args.weight = weight.data();
    args.y = y.data();
    args.epilogue = epilogue;
    args.rows = y.shape().rows();
    args.columns = static_cast<int>(y.shape().back());
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const int channels = static_cast<int>(inputs[i].shape().back());
      if (i < args.most_inputs) args.inputs[i] = {inputs[i].data(), channels};
      args.depth += channels;
    }
    return args;
  }

  static void by_library(const Tensor<T>& x, const Tensor<T>& weight, EpilogueOperands<T> epilogue,
                         Tensor<T>& y) {
    const float* const shift = take_shift(epilogue);
    const void* bias = shift;
    Tensor<T> rounded;
    if constexpr (!std::is_same_v<T, float>) {
      if (shift != nullptr) {
        rounded = Tensor<T>(y.device(), {y.shape().back()});
        convert(ConvertArgs<float, T>{shift, rounded.data(), rounded.elements()}, y.device().stream());
        bias = rounded.data();
      }
    }
    library::multiply(y.device().libraries(), {.type = element_type<T>(),
                                               .result_type = element_type<T>(),
                                               .a = x.data(),
                                               .b = weight.data(),
                                               .y = y.data(),
                                               .rows = x.shape().rows(),
                                               .columns = y.shape().back(),
                                               .depth = x.shape().back(),
                                               .transpose_a = false,
                                               .transpose_b = true,
                                               .leading_a = x.shape().back(),
                                               .leading_b = x.shape().back(),
                                               .leading_y = y.shape().back(),
                                               .beta = 0.0f,
                                               .bias = bias});
    finish(y, epilogue);
  }
  /// The part of an epilogue that the product itself does: in 16 bits only where nothing comes after it.
  static const float* take_shift(EpilogueOperands<T>& operands) {
    const bool adds = std::is_same_v<T, float> ? operands.scale == nullptr : operands.only_shifts();
    return adds ? std::exchange(operands.shift, nullptr) : nullptr;
  }
};

}  // namespace dformer::cuda
