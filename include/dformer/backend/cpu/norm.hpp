#pragma once

#include <cmath>
#include <cstdint>

#include <dformer/backend/concept.hpp>
#include <dformer/backend/cpu/kernels/kernels.hpp>
#include <dformer/backend/cpu/tensor.hpp>
#include <dformer/backend/shapes.hpp>

namespace dformer::cpu {

/// Normalisation. Throws: ShapeError when the parameters do not have a value for each channel.
template <class T>
struct NormOps {
  /// (x - mean) / sqrt(variance + eps) * weight + bias, with the mean and the biased variance of each row of
  /// x [..., C]; weight, bias [C].
  static Tensor<T> layer_norm(const Tensor<T>& x, const Tensor<T>& weight, const Tensor<T>& bias, float eps) {
    shapes::per_channel("layer_norm", x.shape(), weight.shape());
    shapes::per_channel("layer_norm", x.shape(), bias.shape());
    Tensor<T> y(x.device(), x.shape());
    const LayerNormArgs<T> args{x.data(), weight.data(),    bias.data(),
                                y.data(), x.shape().back(), static_cast<T>(eps)};
    const auto kernel = kernels<T>(x.device().isa()).layer_norm;
    x.device().parallel_for(x.shape().rows(), [&](auto begin, auto end) { kernel(args, begin, end); });
    return y;
  }

  /// scale = weight / sqrt(variance + eps) and shift = bias - mean * scale, all [C].
  static Affine<Tensor<T>> batch_norm_affine(const Tensor<T>& weight, const Tensor<T>& bias,
                                             const Tensor<T>& mean, const Tensor<T>& variance, float eps) {
    const Shape shape = shapes::same("batch_norm_affine", weight.shape(), bias.shape());
    shapes::same("batch_norm_affine", weight.shape(), mean.shape());
    shapes::same("batch_norm_affine", weight.shape(), variance.shape());
    Affine<Tensor<T>> result{Tensor<T>(weight.device(), shape), Tensor<T>(weight.device(), shape)};
    for (std::int64_t c = 0; c < shape.numel(); ++c) {
      const double scale = static_cast<double>(weight.data()[c]) /
                           std::sqrt(static_cast<double>(variance.data()[c]) + static_cast<double>(eps));
      const double shift = static_cast<double>(bias.data()[c]) - static_cast<double>(mean.data()[c]) * scale;
      result.scale.data()[c] = static_cast<T>(scale);
      result.shift.data()[c] = static_cast<T>(shift);
    }
    return result;
  }

  /// x [..., C] * scale [C] + shift [C].
  static Tensor<T> scale_shift(const Tensor<T>& x, const Tensor<T>& scale, const Tensor<T>& shift) {
    shapes::per_channel("scale_shift", x.shape(), scale.shape());
    shapes::per_channel("scale_shift", x.shape(), shift.shape());
    Tensor<T> y(x.device(), x.shape());
    const ScaleShiftArgs<T> args{x.data(), scale.data(), shift.data(), y.data(), x.shape().back()};
    const auto kernel = kernels<T>(x.device().isa()).scale_shift;
    x.device().parallel_for(x.shape().rows(), [&](auto begin, auto end) { kernel(args, begin, end); });
    return y;
  }
};

}  // namespace dformer::cpu
