#pragma once

#include <dformer/backend/cuda/device/gradients/column_sums.cuh>
#include <dformer/backend/cuda/device/raw_pack.cuh>
#include <dformer/backend/cuda/device/row_lanes.cuh>
#include <dformer/backend/cuda/kernels/gradients/norm.hpp>

namespace dformer::cuda {
namespace device {

// With g = dy * weight, d = x - mean and scale = 1 / sqrt(variance + eps):
// dx = scale * (g - mean of g - d * scale^2 * mean of g * d); the bias' gradient adds dy, the weight's dy * d
// * scale.

template <class T>
struct LayerNormGradientRows {
  LayerNormGradientArgs<T> norm;
  RowLanes row;
};

/// Adds up over the block's rows what its threads hold for pack `pack` of their lanes, to the slice's sums.
template <class T, int N>
__device__ __forceinline__ void add_up_block(const LayerNormGradientRows<T>& args, int pack, int which,
                                             const Floats<N>& held) {
  __shared__ float shared[RowLanes::threads * N];  // [rows, N, lanes]: neighbours in a warp write neighbours
  const int lanes = args.row.lanes, found = lanes * N;
  const int lane = static_cast<int>(threadIdx.x) % lanes, row = static_cast<int>(threadIdx.x) / lanes;
  DFORMER_UNROLL
  for (int k = 0; k < N; ++k) shared[row * found + k * lanes + lane] = held.values[k];
  __syncthreads();
  for (int i = static_cast<int>(threadIdx.x); i < found; i += RowLanes::threads) {
    const std::int64_t channel = channel_of<N>(pack, i % lanes, lanes) + i / lanes;
    if (channel >= args.norm.channels) continue;
    double sum = 0.0;
    for (int other = 0; other < RowLanes::threads / lanes; ++other) {
      sum += static_cast<double>(shared[other * found + i]);
    }
    args.norm.partial.values[(std::int64_t{blockIdx.x} * 2 + which) * args.norm.channels + channel] = sum;
  }
  __syncthreads();
}

/// A block goes down a slice of the rows; its threads keep what their channels add to the gradients of weight
/// and bias, and what comes next is on its way meanwhile where registers hold it. Reads x and dy once and
/// writes dx once, and that is what bounds it.
template <class T, int Packs>
__global__ __launch_bounds__(RowLanes::threads,
                             (Packs == 1 ? 6
                                         : 0)) void layer_norm_gradient_rows(LayerNormGradientRows<T> args) {
  constexpr int width = widest_pack<T>;
  const LayerNormGradientArgs<T>& norm = args.norm;
  const int lanes = args.row.lanes;
  const int lane = static_cast<int>(threadIdx.x) % lanes;
  const auto count = static_cast<float>(norm.channels);
  const std::int64_t begin = norm.rows * blockIdx.x / norm.partial.slices;
  const std::int64_t end = norm.rows * (blockIdx.x + std::int64_t{1}) / norm.partial.slices;

  Floats<width> weight[Packs], weight_sums[Packs], bias_sums[Packs];
  load_row(norm.weight, norm.channels, lane, lanes, weight);
  DFORMER_UNROLL
  for (int p = 0; p < Packs; ++p) weight_sums[p] = bias_sums[p] = Floats<width>::zero();

  // Lanes without a row work on one of no channels: sums need the whole warp.
  const auto channels_of = [&](std::int64_t row) { return row < end ? norm.channels : std::int64_t{0}; };
  constexpr bool ahead = Packs < RowLanes::most_packs;
  const int rows = RowLanes::threads / lanes;
  RawPack<T, width> next_x[Packs], next_dy[Packs];
  const auto load_next = [&](std::int64_t row) {
    DFORMER_UNROLL
    for (int p = 0; p < Packs; ++p) {
      const int channel = channel_of<width>(p, lane, lanes);
      next_x[p] = next_dy[p] = {};
      if (channel >= channels_of(row)) continue;
      next_x[p].load(norm.x + row * norm.channels + channel);
      next_dy[p].load(norm.dy + row * norm.channels + channel);
    }
  };
  std::int64_t row = begin + static_cast<int>(threadIdx.x) / lanes;
  if constexpr (ahead) load_next(row);
  for (std::int64_t first = begin; first < end; first += rows, row += rows) {
    if constexpr (!ahead) load_next(row);
    const std::int64_t channels = channels_of(row);
    Floats<width> x[Packs], dy[Packs];
    DFORMER_UNROLL
    for (int p = 0; p < Packs; ++p) {
      x[p] = next_x[p].floats();
      dy[p] = next_dy[p].floats();
    }
    if constexpr (ahead) load_next(row + rows);
    float sum = 0.0f;
    DFORMER_UNROLL
    for (int p = 0; p < Packs; ++p) {
      DFORMER_UNROLL
      for (int k = 0; k < width; ++k) sum += x[p].values[k];
    }
    const float mean = sum_of_lanes(sum, lanes) / count;
    float squares = 0.0f, gradients = 0.0f, products = 0.0f;
    DFORMER_UNROLL
    for (int p = 0; p < Packs; ++p) {
      if (channel_of<width>(p, lane, lanes) >= channels) continue;
      DFORMER_UNROLL
      for (int k = 0; k < width; ++k) {
        const float g = dy[p].values[k] * weight[p].values[k];
        float& d = x[p].values[k];
        d -= mean;
        squares = fmaf(d, d, squares);
        gradients += g;
        products = fmaf(g, d, products);
      }
    }
    const float scale = 1.0f / sqrtf(sum_of_lanes(squares, lanes) / count + norm.eps);
    const float mean_gradient = sum_of_lanes(gradients, lanes) / count;
    const float slope = sum_of_lanes(products, lanes) / count * scale * scale;
    DFORMER_UNROLL
    for (int p = 0; p < Packs; ++p) {
      const int channel = channel_of<width>(p, lane, lanes);
      if (channel >= channels) continue;
      Floats<width> dx;
      DFORMER_UNROLL
      for (int k = 0; k < width; ++k) {
        const float d = x[p].values[k], upstream = dy[p].values[k];
        const float g = fmaf(upstream, weight[p].values[k], -mean_gradient);
        dx.values[k] = fmaf(-d, slope, g) * scale;
        weight_sums[p].values[k] = fmaf(upstream, d * scale, weight_sums[p].values[k]);
        bias_sums[p].values[k] += upstream;
      }
      store_floats(norm.dx + row * norm.channels + channel, dx);
    }
  }
  DFORMER_UNROLL
  for (int p = 0; p < Packs; ++p) {
    add_up_block(args, p, 0, weight_sums[p]);
    add_up_block(args, p, 1, bias_sums[p]);
  }
}

/// Rows of any length, a warp for each: dx, and mean and scale for the sums over rows that follow.
template <class T>
__global__ void layer_norm_gradient_long_rows(LayerNormGradientArgs<T> args) {
  const std::int64_t row = global_thread() / warp_size;
  if (row >= args.rows) return;
  const int lane = static_cast<int>(threadIdx.x) % warp_size;
  const auto count = static_cast<float>(args.channels);
  const T* const x = args.x + row * args.channels;
  const T* const dy = args.dy + row * args.channels;
  T* const dx = args.dx + row * args.channels;
  float sum = 0.0f;
  for (std::int64_t c = lane; c < args.channels; c += warp_size) sum += to_float(x[c]);
  const float mean = warp_sum(sum) / count;
  float squares = 0.0f, gradients = 0.0f, products = 0.0f;
  for (std::int64_t c = lane; c < args.channels; c += warp_size) {
    const float d = to_float(x[c]) - mean, g = to_float(dy[c]) * args.weight[c];
    squares = fmaf(d, d, squares);
    gradients += g;
    products = fmaf(g, d, products);
  }
  const float scale = 1.0f / sqrtf(warp_sum(squares) / count + args.eps);
  const float mean_gradient = warp_sum(gradients) / count;
  const float slope = warp_sum(products) / count * scale * scale;
  for (std::int64_t c = lane; c < args.channels; c += warp_size) {
    const float d = to_float(x[c]) - mean;
    const float g = fmaf(to_float(dy[c]), args.weight[c], -mean_gradient);
    dx[c] = from_float<T>(fmaf(-d, slope, g) * scale);
  }
  if (lane == 0) args.row_statistics[2 * row] = mean;
  if (lane == 1) args.row_statistics[2 * row + 1] = scale;
}

/// Of dy times the normalised x, and of dy.
template <class Element>
struct SumsOfLayerNorm {
  using T = Element;
  static constexpr int sums = 2;
  static constexpr bool two_operands = true;
  const T* a;
  const T* b;
  const float* row_statistics;
  Columns columns;
  PartialSums partial;

  struct Row {
    float mean, scale;
  };
  __device__ __forceinline__ float shift(std::int64_t, std::int64_t) const { return 0.0f; }
  __device__ __forceinline__ Row row(std::int64_t row) const {
    return {row_statistics[2 * row], row_statistics[2 * row + 1]};
  }
  __device__ __forceinline__ void add(float dy, float x, float, const Row& row,
                                      CompensatedSum (&to)[2]) const {
    to[0].add_product(dy, (x - row.mean) * row.scale);
    to[1].add(dy);
  }
};

}  // namespace device

template <class T>
void layer_norm_gradient(const LayerNormGradientArgs<T>& args, Stream stream) {
  constexpr const char* name = "layer_norm gradient";
  const RowLanes row = RowLanes::of<T>(args.channels);
  const auto launch_rows = [&](void (*kernel)(device::LayerNormGradientRows<T>)) {
    device::launch(name, kernel, device::Grid{args.partial.slices, RowLanes::threads}, stream,
                   device::LayerNormGradientRows<T>{args, row});
  };
  switch (row.packs) {
    case 1:
      launch_rows(device::layer_norm_gradient_rows<T, 1>);
      break;
    case 2:
      launch_rows(device::layer_norm_gradient_rows<T, 2>);
      break;
    case 3:
      launch_rows(device::layer_norm_gradient_rows<T, 3>);
      break;
    case 4:
      launch_rows(device::layer_norm_gradient_rows<T, 4>);
      break;
    case 5:
      launch_rows(device::layer_norm_gradient_rows<T, 5>);
      break;
    default: {
      const device::Grid grid{device::blocks_of(args.rows, row.rows()), RowLanes::threads};
      device::launch(name, device::layer_norm_gradient_long_rows<T>, grid, stream, args);
      device::launch_sum_columns(
          name,
          device::SumsOfLayerNorm<T>{args.dy, args.x, args.row_statistics,
                                     Columns::of<T>(args.rows, args.channels), args.partial},
          stream);
    }
  }
  device::launch_finish_columns(name, device::StoreSums<2>{args.partial, {args.dweight, args.dbias}}, stream);
}

template void layer_norm_gradient(const LayerNormGradientArgs<float>&, Stream);
template void layer_norm_gradient(const LayerNormGradientArgs<half>&, Stream);
template void layer_norm_gradient(const LayerNormGradientArgs<bfloat16>&, Stream);

}  // namespace dformer::cuda
