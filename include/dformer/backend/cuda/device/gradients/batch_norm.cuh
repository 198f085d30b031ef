#pragma once

#include <dformer/backend/cuda/device/gradients/column_sums.cuh>
#include <dformer/backend/cuda/kernels/gradients/norm.hpp>

namespace dformer::cuda {
namespace device {

/// Of differences from the slice's first row, and of their squares: squares of a large mean would drown the
/// variance.
template <class Element>
struct SumsOfMoments {
  using T = Element;
  static constexpr int sums = 2;
  static constexpr bool two_operands = false;
  const T* a;
  const T* b;
  Columns columns;
  PartialSums partial;

  __device__ __forceinline__ float shift(std::int64_t channel, std::int64_t first) const {
    return to_float(a[first * columns.channels + channel]);
  }
  __device__ __forceinline__ NoNumber row(std::int64_t) const { return {}; }
  __device__ __forceinline__ void add(float x, float, float shift, NoNumber, CompensatedSum (&to)[2]) const {
    const float difference = x - shift;
    to[0].add(difference);
    to[1].add_product(difference, difference);
  }
};

template <class T>
struct FinishMoments {
  static constexpr int sums = 2;
  PartialSums partial;
  BatchStatisticsArgs<T> args;

  /// The first row of a slice beside the first of all.
  __device__ __forceinline__ double base(std::int64_t slice, std::int64_t channel) const {
    return value(first_row(slice), channel) - value(0, channel);
  }
  /// To differences from the first row of all.
  __device__ __forceinline__ void rebase(std::int64_t slice, double moved, double (&found)[2]) const {
    const auto count = static_cast<double>(first_row(slice + 1) - first_row(slice));
    found[1] += moved * (2.0 * found[0] + moved * count);
    found[0] += moved * count;
  }
  __device__ __forceinline__ void finish(std::int64_t channel, const double (&found)[2]) const {
    const auto rows = static_cast<double>(args.columns.rows);
    const double difference = found[0] / rows;
    const double variance = found[1] / rows - difference * difference;
    args.mean[channel] = static_cast<float>(value(0, channel) + difference);
    args.variance[channel] = static_cast<float>(variance > 0 ? variance : 0 * variance);  // NaN stays
  }

 private:
  __device__ __forceinline__ std::int64_t first_row(std::int64_t slice) const {
    return args.columns.rows * slice / partial.slices;
  }
  __device__ __forceinline__ double value(std::int64_t row, std::int64_t channel) const {
    return static_cast<double>(to_float(args.x[row * args.columns.channels + channel]));
  }
};

/// Of dy, and of dy times x's difference from its mean.
template <class Element>
struct SumsOfBatchNorm {
  using T = Element;
  static constexpr int sums = 2;
  static constexpr bool two_operands = true;
  const T* a;
  const T* b;
  const float* mean;
  Columns columns;
  PartialSums partial;

  __device__ __forceinline__ float shift(std::int64_t channel, std::int64_t) const { return mean[channel]; }
  __device__ __forceinline__ NoNumber row(std::int64_t) const { return {}; }
  __device__ __forceinline__ void add(float dy, float x, float shift, NoNumber,
                                      CompensatedSum (&to)[2]) const {
    to[0].add(dy);
    to[1].add_product(dy, x - shift);
  }
};

template <class T>
struct FinishBatchNorm {
  static constexpr int sums = 2;
  PartialSums partial;
  BatchNormGradientArgs<T> args;

  __device__ __forceinline__ NoNumber base(std::int64_t, std::int64_t) const { return {}; }
  __device__ __forceinline__ void rebase(std::int64_t, NoNumber, double (&)[2]) const {}
  __device__ __forceinline__ void finish(std::int64_t channel, const double (&found)[2]) const {
    const std::int64_t channels = partial.channels;
    const double inverse_deviation =
        1 / sqrt(static_cast<double>(args.variance[channel]) + static_cast<double>(args.eps));
    const double scale = static_cast<double>(args.weight[channel]) * inverse_deviation;
    const double per_row = scale / static_cast<double>(args.columns.rows);
    args.linear[channel] = static_cast<float>(scale);
    args.linear[channels + channel] =
        static_cast<float>(-per_row * found[1] * inverse_deviation * inverse_deviation);
    args.linear[2 * channels + channel] = static_cast<float>(-per_row * found[0]);
    args.dweight[channel] = static_cast<float>(found[1] * inverse_deviation);
    args.dbias[channel] = static_cast<float>(found[0]);
  }
};

/// A thread's numbers stay in registers while it goes down its rows; bounded by reading x and dy and writing
/// dx.
template <class T, int N>
__global__ void batch_norm_gradient_columns(BatchNormGradientArgs<T> args) {
  const Columns& columns = args.columns;
  const ColumnThread at(columns, blockIdx.x);
  if (!at.has_column) return;
  const Floats<N> mean = load_floats<N>(args.mean + at.channel);
  const Floats<N> scale = load_floats<N>(args.linear + at.channel);
  const Floats<N> slope = load_floats<N>(args.linear + columns.channels + at.channel);
  const Floats<N> shift = load_floats<N>(args.linear + 2 * columns.channels + at.channel);
  const std::int64_t step = columns.lanes * (gridDim.x / columns.tiles);
  for (std::int64_t row = at.slice * columns.lanes + at.lane; row < columns.rows; row += step) {
    const std::int64_t first = row * columns.channels + at.channel;
    const Floats<N> x = load_floats<N>(args.x + first);
    Floats<N> y = load_floats<N>(args.dy + first);
    DFORMER_UNROLL
    for (int k = 0; k < N; ++k) {
      const float linear = fmaf(slope.values[k], x.values[k] - mean.values[k], shift.values[k]);
      y.values[k] = fmaf(scale.values[k], y.values[k], linear);
    }
    store_floats(args.dx + first, y);
  }
}

__global__ void update_statistics_of_channels(UpdateStatisticsArgs args) {
  const std::int64_t c = global_thread();
  if (c >= args.channels) return;
  const auto moved = [&](float running, double share, float batch) {
    return static_cast<float>((1 - args.momentum) * static_cast<double>(running) +
                              share * static_cast<double>(batch));
  };
  args.running_mean[c] = moved(args.running_mean[c], args.momentum, args.mean[c]);
  args.running_variance[c] = moved(args.running_variance[c], args.momentum * args.unbiased, args.variance[c]);
}

}  // namespace device

template <class T>
void batch_statistics(const BatchStatisticsArgs<T>& args, Stream stream) {
  device::launch_sum_columns("batch_statistics",
                             device::SumsOfMoments<T>{args.x, nullptr, args.columns, args.partial}, stream);
  device::launch_finish_columns("batch_statistics", device::FinishMoments<T>{args.partial, args}, stream);
}

template <class T>
void batch_norm_gradient(const BatchNormGradientArgs<T>& args, Stream stream) {
  constexpr const char* name = "batch_norm gradient";
  constexpr int width = device::widest_pack<T>;
  device::launch_sum_columns(
      name, device::SumsOfBatchNorm<T>{args.dy, args.x, args.mean, args.columns, args.partial}, stream);
  device::launch_finish_columns(name, device::FinishBatchNorm<T>{args.partial, args}, stream);
  device::launch(name,
                 args.columns.pack == 1 ? device::batch_norm_gradient_columns<T, 1>
                                        : device::batch_norm_gradient_columns<T, width>,
                 device::column_grid(args.columns), stream, args);
}

void update_statistics(const UpdateStatisticsArgs& args, Stream stream) {
  constexpr int threads = 128;
  const device::Grid grid{device::blocks_of(args.channels, threads), threads};
  device::launch("update_statistics", device::update_statistics_of_channels, grid, stream, args);
}

template void batch_statistics(const BatchStatisticsArgs<float>&, Stream);
template void batch_statistics(const BatchStatisticsArgs<half>&, Stream);
template void batch_statistics(const BatchStatisticsArgs<bfloat16>&, Stream);
template void batch_norm_gradient(const BatchNormGradientArgs<float>&, Stream);
template void batch_norm_gradient(const BatchNormGradientArgs<half>&, Stream);
template void batch_norm_gradient(const BatchNormGradientArgs<bfloat16>&, Stream);

}  // namespace dformer::cuda
