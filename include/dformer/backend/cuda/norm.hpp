#pragma once

#include <dformer/backend/concept.hpp>
#include <dformer/backend/cuda/elements.hpp>
#include <dformer/backend/cuda/kernels/norm.hpp>
#include <dformer/backend/cuda/tensor.hpp>
#include <dformer/backend/shapes.hpp>

namespace dformer::cuda {

/// Normalisation. Statistics and sums are float32 whatever T is. Throws: ShapeError when the parameters do
/// not have a value for each channel.
template <class T>
struct NormOps {
  /// (x - mean) / sqrt(variance + eps) * weight + bias, with the mean and the biased variance of each row of
  /// x [..., C]; weight, bias [C].
  static Tensor<T> layer_norm(const Tensor<T>& x, const Tensor<T>& weight, const Tensor<T>& bias, float eps) {
    shapes::per_channel("layer_norm", x.shape(), weight.shape());
    shapes::per_channel("layer_norm", x.shape(), bias.shape());
    require_one_device("layer_norm", x, weight, bias);
    const Tensor<T> weights = full(weight), biases = full(bias);
    Tensor<T> y = like(x, x.shape());
    if (y.elements() == 0) return y;
    with_elements(
        [&]<class E>(const E* from, E* to) {
          cuda::layer_norm(LayerNormArgs<E>{from, weights.full_data(), biases.full_data(), to,
                                            x.shape().rows(), x.shape().back(), eps},
                           x.device().stream());
        },
        x, y);
    return y;
  }

  /// scale = weight / sqrt(variance + eps) and shift = bias - mean * scale, all [C] and float32.
  static Affine<Tensor<T>> batch_norm_affine(const Tensor<T>& weight, const Tensor<T>& bias,
                                             const Tensor<T>& mean, const Tensor<T>& variance, float eps) {
    const Shape shape = shapes::same("batch_norm_affine", weight.shape(), bias.shape());
    shapes::same("batch_norm_affine", weight.shape(), mean.shape());
    shapes::same("batch_norm_affine", weight.shape(), variance.shape());
    require_one_device("batch_norm_affine", weight, bias, mean, variance);
    const Device& device = weight.device();
    const Tensor<T> weights = full(weight), biases = full(bias), means = full(mean),
                    variances = full(variance);
    Affine<Tensor<T>> result{Tensor<T>(device, shape, Elements::full),
                             Tensor<T>(device, shape, Elements::full)};
    cuda::batch_norm_affine(
        {weights.full_data(), biases.full_data(), means.full_data(), variances.full_data(),
         result.scale.full_data(), result.shift.full_data(), shape.numel(), eps},
        device.stream());
    return result;
  }

  /// x [..., C] * scale [C] + shift [C].
  static Tensor<T> scale_shift(const Tensor<T>& x, const Tensor<T>& scale, const Tensor<T>& shift) {
    shapes::per_channel("scale_shift", x.shape(), scale.shape());
    shapes::per_channel("scale_shift", x.shape(), shift.shape());
    require_one_device("scale_shift", x, scale, shift);
    const Tensor<T> scales = full(scale), shifts = full(shift);
    Tensor<T> y = like(x, x.shape());
    with_elements(
        [&]<class E>(const E* from, E* to) {
          cuda::scale_shift(ScaleShiftArgs<E>{from, scales.full_data(), shifts.full_data(), to,
                                              Columns::of<E>(x.shape().rows(), x.shape().back())},
                            x.device().stream());
        },
        x, y);
    return y;
  }
};

}  // namespace dformer::cuda
