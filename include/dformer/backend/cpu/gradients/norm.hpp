#pragma once

#include <cmath>
#include <cstdint>
#include <string>

#include <dformer/backend/cpu/gradients/channel_sums.hpp>
#include <dformer/backend/cpu/kernels/gradients/kernels.hpp>
#include <dformer/backend/cpu/tensor.hpp>
#include <dformer/backend/gradient_shapes.hpp>
#include <dformer/backend/gradients.hpp>

namespace dformer::cpu {

/// Gradients of the normalisations, and the statistics of a batch. Throws: ShapeError when the parameters do
/// not have a value for each channel, or there is no row.
template <class T>
struct NormGradientOps {
  /// Of layer_norm(x, weight, bias, eps).
  static NormGradients<Tensor<T>> layer_norm(const Tensor<T>& x, const Tensor<T>& weight, const Tensor<T>& dy,
                                             float eps) {
    shapes::norm_gradient("layer_norm gradient", x.shape(), weight.shape(), dy.shape());
    const Device& device = x.device();
    const std::int64_t channels = x.shape().back();
    const std::int64_t slices = slices_of(x.shape().rows(), channels);
    NormGradients<Tensor<T>> result{Tensor<T>(device, x.shape()), Tensor<T>(device, weight.shape()),
                                    Tensor<T>(device, weight.shape())};
    Tensor<T> sums(device, Shape{slices, 2, channels});
    const LayerNormGradientArgs<T> args{x.data(),        weight.data(), dy.data(),
                                        result.x.data(), sums.data(),   x.shape().rows(),
                                        channels,        slices,        static_cast<T>(eps)};
    const auto kernel = gradient_kernels<T>(device.isa()).layer_norm;
    device.parallel_for(slices, [&](auto begin, auto end) { kernel(args, begin, end); });
    for (std::int64_t c = 0; c < channels; ++c) {
      double weight_sum = 0, bias_sum = 0;
      for (std::int64_t slice = 0; slice < slices; ++slice) {
        weight_sum += static_cast<double>(sums.data()[2 * slice * channels + c]);
        bias_sum += static_cast<double>(sums.data()[(2 * slice + 1) * channels + c]);
      }
      result.weight.data()[c] = static_cast<T>(weight_sum);
      result.bias.data()[c] = static_cast<T>(bias_sum);
    }
    return result;
  }

  /// Mean and biased variance of each channel over all rows of x [..., C].
  static BatchStatistics<Tensor<T>> batch_statistics(const Tensor<T>& x) {
    shapes::filled_rows("batch_statistics", x.shape());
    // The first row stands for the mean, so that squares of a large mean do not drown the variance.
    const Tensor<double> sums = sum_rows<T>(gradient_kernels<T>(x.device().isa()).channel_moments, x.device(),
                                            grouped_rows(x.shape()), x.data(), nullptr, x.data());
    const std::int64_t channels = x.shape().back();
    const auto rows = static_cast<double>(x.shape().rows());
    BatchStatistics<Tensor<T>> result{Tensor<T>(x.device(), Shape{channels}),
                                      Tensor<T>(x.device(), Shape{channels})};
    for (std::int64_t c = 0; c < channels; ++c) {
      const double difference = sums.data()[c] / rows;
      const double variance = sums.data()[channels + c] / rows - difference * difference;
      result.mean.data()[c] = static_cast<T>(static_cast<double>(x.data()[c]) + difference);
      result.variance.data()[c] = static_cast<T>(variance > 0 ? variance : 0 * variance);  // NaN stays
    }
    return result;
  }

  /// Of (x - mean) / sqrt(variance + eps) * weight + bias, with the statistics of x itself.
  static NormGradients<Tensor<T>> batch_norm(const Tensor<T>& x, const Tensor<T>& weight,
                                             const BatchStatistics<Tensor<T>>& statistics, float eps,
                                             const Tensor<T>& dy) {
    shapes::norm_gradient("batch_norm gradient", x.shape(), weight.shape(), dy.shape());
    shapes::per_channel("batch_norm gradient", x.shape(), statistics.mean.shape());
    shapes::per_channel("batch_norm gradient", x.shape(), statistics.variance.shape());
    const Device& device = x.device();
    const GroupedRows rows = grouped_rows(x.shape());
    const GradientTable<T>& table = gradient_kernels<T>(device.isa());
    const Tensor<double> sums =
        sum_rows<T>(table.batch_norm_sums, device, rows, dy.data(), x.data(), statistics.mean.data());

    NormGradients<Tensor<T>> result{Tensor<T>(device, x.shape()), Tensor<T>(device, weight.shape()),
                                    Tensor<T>(device, weight.shape())};
    Tensor<double> linear(device, Shape{3, rows.channels});
    for (std::int64_t c = 0; c < rows.channels; ++c) {
      const double gradient_sum = sums.data()[c], product_sum = sums.data()[rows.channels + c];
      const double inverse_deviation =
          1 / std::sqrt(static_cast<double>(statistics.variance.data()[c]) + static_cast<double>(eps));
      const double scale = static_cast<double>(weight.data()[c]) * inverse_deviation;
      const double per_row = scale / static_cast<double>(rows.rows);
      linear.data()[c] = scale;
      linear.data()[rows.channels + c] = -per_row * product_sum * inverse_deviation * inverse_deviation;
      linear.data()[2 * rows.channels + c] = -per_row * gradient_sum;
      result.weight.data()[c] = static_cast<T>(product_sum * inverse_deviation);
      result.bias.data()[c] = static_cast<T>(gradient_sum);
    }
    const Tensor<T> scale = repeated<T>(device, rows, linear.data());
    const Tensor<T> slope = repeated<T>(device, rows, linear.data() + rows.channels);
    const Tensor<T> shift = repeated<T>(device, rows, linear.data() + 2 * rows.channels);
    const Tensor<T> mean = repeated<T>(device, rows, statistics.mean.data());
    const BatchNormGradientArgs<T> args{x.data(),     dy.data(),   result.x.data(), scale.data(),
                                        slope.data(), mean.data(), shift.data(),    rows};
    device.parallel_for(rows.tasks(), [&](auto begin, auto end) { table.batch_norm(args, begin, end); });
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
    const double unbiased = static_cast<double>(rows) / static_cast<double>(rows - 1);
    const auto share = static_cast<double>(momentum);
    for (std::int64_t c = 0; c < shape.numel(); ++c) {
      T& mean = running_mean.data()[c];
      T& var = running_var.data()[c];
      const auto batch_mean = static_cast<double>(statistics.mean.data()[c]);
      const auto batch_var = static_cast<double>(statistics.variance.data()[c]);
      mean = static_cast<T>((1 - share) * static_cast<double>(mean) + share * batch_mean);
      var = static_cast<T>((1 - share) * static_cast<double>(var) + share * unbiased * batch_var);
    }
  }
};

}  // namespace dformer::cpu
