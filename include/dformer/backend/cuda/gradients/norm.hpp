#pragma once

#include <cstdint>
#include <string>

#include <dformer/backend/cuda/elements.hpp>
#include <dformer/backend/cuda/gradients/column_sums.hpp>
#include <dformer/backend/cuda/kernels/gradients/norm.hpp>
#include <dformer/backend/cuda/tensor.hpp>
#include <dformer/backend/gradient_shapes.hpp>
#include <dformer/backend/gradients.hpp>

namespace dformer::cuda {

/// Gradients of the normalisations, and the statistics of a batch. What has a value for each channel is
/// float32. Throws: ShapeError when the parameters do not have a value for each channel, or there is no row.
template <class T>
struct NormGradientOps {
  /// Of layer_norm(x, weight, bias, eps).
  static NormGradients<Tensor<T>> layer_norm(const Tensor<T>& x, const Tensor<T>& weight, const Tensor<T>& dy,
                                             float eps) {
    shapes::norm_gradient("layer_norm gradient", x.shape(), weight.shape(), dy.shape());
    require_same_elements("layer_norm gradient", x, dy);
    require_one_device("layer_norm gradient", x, weight, dy);
    const Device& device = x.device();
    const std::int64_t rows = x.shape().rows(), channels = x.shape().back();
    const Tensor<T> weights = full(weight);
    NormGradients<Tensor<T>> result = results(x, weight);
    with_elements(
        [&]<class E>(const E* from, const E* upstream, E* to) {
          PartialSumsMemory partial(device, slices_of_layer_norm<E>(rows, channels), 2, channels);
          Tensor<float> row_statistics;
          if (RowLanes::of<E>(channels).packs == 0) row_statistics = Tensor<float>(device, Shape{rows, 2});
          layer_norm_gradient(
              LayerNormGradientArgs<E>{from, weights.full_data(), upstream, to, result.weight.full_data(),
                                       result.bias.full_data(), rows, channels, eps, partial.sums(),
                                       row_statistics ? row_statistics.data() : nullptr},
              device.stream());
        },
        x, dy, result.x);
    return result;
  }

  /// Mean and biased variance of each channel over all rows of x [..., C].
  static BatchStatistics<Tensor<T>> batch_statistics(const Tensor<T>& x) {
    shapes::filled_rows("batch_statistics", x.shape());
    const Device& device = x.device();
    const std::int64_t channels = x.shape().back();
    BatchStatistics<Tensor<T>> result{Tensor<T>(device, Shape{channels}, Elements::full),
                                      Tensor<T>(device, Shape{channels}, Elements::full)};
    with_elements(
        [&]<class E>(const E* from) {
          const Columns columns = Columns::of<E>(x.shape().rows(), channels);
          PartialSumsMemory partial(device, slices_of_sums(columns), 2, channels);
          cuda::batch_statistics(BatchStatisticsArgs<E>{from, result.mean.full_data(),
                                                        result.variance.full_data(), columns, partial.sums()},
                                 device.stream());
        },
        x);
    return result;
  }

  /// Of (x - mean) / sqrt(variance + eps) * weight + bias, with the statistics of x itself.
  static NormGradients<Tensor<T>> batch_norm(const Tensor<T>& x, const Tensor<T>& weight,
                                             const BatchStatistics<Tensor<T>>& statistics, float eps,
                                             const Tensor<T>& dy) {
    shapes::norm_gradient("batch_norm gradient", x.shape(), weight.shape(), dy.shape());
    shapes::per_channel("batch_norm gradient", x.shape(), statistics.mean.shape());
    shapes::per_channel("batch_norm gradient", x.shape(), statistics.variance.shape());
    require_same_elements("batch_norm gradient", x, dy);
    require_one_device("batch_norm gradient", x, weight, statistics.mean, statistics.variance, dy);
    const Device& device = x.device();
    const std::int64_t channels = x.shape().back();
    const Tensor<T> weights = full(weight), mean = full(statistics.mean),
                    variance = full(statistics.variance);
    NormGradients<Tensor<T>> result = results(x, weight);
    Tensor<float> linear(device, Shape{3, channels});
    with_elements(
        [&]<class E>(const E* from, const E* upstream, E* to) {
          const Columns columns = Columns::of<E>(x.shape().rows(), channels);
          PartialSumsMemory partial(device, slices_of_sums(columns), 2, channels);
          batch_norm_gradient(
              BatchNormGradientArgs<E>{from, upstream, weights.full_data(), mean.full_data(),
                                       variance.full_data(), to, result.weight.full_data(),
                                       result.bias.full_data(), linear.data(), eps, columns, partial.sums()},
              device.stream());
        },
        x, dy, result.x);
    return result;
  }

  /// running = (1 - momentum) * running + momentum * statistic, in place: every handle sees it. The variance
  /// that goes in is the unbiased one of a batch of `rows` rows. Throws: ArgumentError for fewer than 2.
  static void update_statistics(Tensor<T> running_mean, Tensor<T> running_var,
                                const BatchStatistics<Tensor<T>>& statistics, std::int64_t rows,
                                float momentum) {
    const Shape& shape = running_mean.shape();
    shapes::same("update_statistics", shape, running_var.shape());
    shapes::same("update_statistics", shape, statistics.mean.shape());
    shapes::same("update_statistics", shape, statistics.variance.shape());
    if (rows < 2) {
      throw_argument_error("[update_statistics] a variance needs at least 2 pixels for each channel, got " +
                           std::to_string(rows) + "; use larger images or batches");
    }
    require_full("update_statistics", running_mean);
    require_full("update_statistics", running_var);
    require_one_device("update_statistics", running_mean, running_var, statistics.mean, statistics.variance);
    const Tensor<T> mean = full(statistics.mean), variance = full(statistics.variance);
    cuda::update_statistics({running_mean.full_data(), running_var.full_data(), mean.full_data(),
                             variance.full_data(), shape.numel(), static_cast<double>(momentum),
                             static_cast<double>(rows) / static_cast<double>(rows - 1)},
                            running_mean.device().stream());
  }

 private:
  static NormGradients<Tensor<T>> results(const Tensor<T>& x, const Tensor<T>& weight) {
    return {like(x, x.shape()), Tensor<T>(x.device(), weight.shape(), Elements::full),
            Tensor<T>(x.device(), weight.shape(), Elements::full)};
  }
};

}  // namespace dformer::cuda
