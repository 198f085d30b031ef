#pragma once

#include <dformer/backend/cuda/device/columns.cuh>
#include <dformer/backend/cuda/device/row_lanes.cuh>
#include <dformer/backend/cuda/kernels/norm.hpp>

namespace dformer::cuda {
namespace device {

template <class T>
struct LayerNormRows {
  LayerNormArgs<T> norm;
  int lanes;  ///< that share a row
};

/// Rows in registers: x is read once and y written once, and that is what bounds it. The squares are those of
/// differences from the mean, so that a large mean costs no digits.
template <class T, int Packs>
__global__ void layer_norm_rows(LayerNormRows<T> args) {
  constexpr int width = widest_pack<T>;
  const LayerNormArgs<T>& norm = args.norm;
  const int rows = static_cast<int>(blockDim.x) / args.lanes;  // of a block
  const std::int64_t row = std::int64_t{blockIdx.x} * rows + static_cast<int>(threadIdx.x) / args.lanes;
  const int lane = static_cast<int>(threadIdx.x) % args.lanes;
  // Lanes without a row work on one of no channels: sums need the whole warp.
  const std::int64_t channels = row < norm.rows ? norm.channels : 0;
  const auto count = static_cast<float>(norm.channels);

  Floats<width> x[Packs];
  load_row(norm.x + row * norm.channels, channels, lane, args.lanes, x);
  // On their way while the sums are made, where registers hold them.
  constexpr int early = Packs <= 2 ? Packs : 0;
  Floats<width> weights[early + 1], biases[early + 1];
  DFORMER_UNROLL
  for (int p = 0; p < early; ++p) {
    const int channel = channel_of<width>(p, lane, args.lanes);
    if (channel >= norm.channels) continue;
    weights[p] = load_floats<width>(norm.weight + channel);
    biases[p] = load_floats<width>(norm.bias + channel);
  }
  float sum = 0.0f;
  DFORMER_UNROLL
  for (int p = 0; p < Packs; ++p) {
    DFORMER_UNROLL
    for (int k = 0; k < width; ++k) sum += x[p].values[k];
  }
  const float mean = sum_of_lanes(sum, args.lanes) / count;
  float squares = 0.0f;
  DFORMER_UNROLL
  for (int p = 0; p < Packs; ++p) {
    if (channel_of<width>(p, lane, args.lanes) >= channels) continue;
    DFORMER_UNROLL
    for (int k = 0; k < width; ++k) {
      x[p].values[k] -= mean;
      squares = fmaf(x[p].values[k], x[p].values[k], squares);
    }
  }
  const float scale = 1.0f / sqrtf(sum_of_lanes(squares, args.lanes) / count + norm.eps);
  DFORMER_UNROLL
  for (int p = 0; p < Packs; ++p) {
    const int channel = channel_of<width>(p, lane, args.lanes);
    if (channel >= channels) continue;
    const Floats<width> weight = p < early ? weights[p] : load_floats<width>(norm.weight + channel);
    Floats<width> y = p < early ? biases[p] : load_floats<width>(norm.bias + channel);
    DFORMER_UNROLL
    for (int k = 0; k < width; ++k) {
      y.values[k] = fmaf(x[p].values[k] * scale, weight.values[k], y.values[k]);
    }
    store_floats(norm.y + row * norm.channels + channel, y);
  }
}

/// Rows of any length, a warp for each: they come from the cache the second and third time.
template <class T>
__global__ void layer_norm_long_rows(LayerNormArgs<T> args) {
  const std::int64_t row = global_thread() / warp_size;
  if (row >= args.rows) return;
  const int lane = static_cast<int>(threadIdx.x) % warp_size;
  const auto count = static_cast<float>(args.channels);
  const T* const x = args.x + row * args.channels;
  T* const y = args.y + row * args.channels;
  float sum = 0.0f;
  for (std::int64_t c = lane; c < args.channels; c += warp_size) sum += to_float(x[c]);
  const float mean = warp_sum(sum) / count;
  float squares = 0.0f;
  for (std::int64_t c = lane; c < args.channels; c += warp_size) {
    const float difference = to_float(x[c]) - mean;
    squares = fmaf(difference, difference, squares);
  }
  const float scale = 1.0f / sqrtf(warp_sum(squares) / count + args.eps);
  for (std::int64_t c = lane; c < args.channels; c += warp_size) {
    y[c] = from_float<T>(fmaf((to_float(x[c]) - mean) * scale, args.weight[c], args.bias[c]));
  }
}

/// In double: there are few channels, and a mean times a scale may nearly cancel the bias.
__global__ void batch_norm_affine_of_channels(BatchNormAffineArgs args) {
  const std::int64_t c = global_thread();
  if (c >= args.channels) return;
  const double scale = static_cast<double>(args.weight[c]) /
                       sqrt(static_cast<double>(args.variance[c]) + static_cast<double>(args.eps));
  args.scale[c] = static_cast<float>(scale);
  args.shift[c] =
      static_cast<float>(static_cast<double>(args.bias[c]) - static_cast<double>(args.mean[c]) * scale);
}

/// A thread's scales and shifts stay in registers while it goes down its rows; bounded by reading x and
/// writing y.
template <class T, int N>
__global__ void scale_shift_columns(ScaleShiftArgs<T> args) {
  const ColumnThread at(args.columns, blockIdx.x);
  if (!at.has_column) return;
  const Floats<N> scale = load_floats<N>(args.scale + at.channel);
  const Floats<N> shift = load_floats<N>(args.shift + at.channel);
  const std::int64_t step = args.columns.lanes * (gridDim.x / args.columns.tiles);
  for (std::int64_t row = at.slice * args.columns.lanes + at.lane; row < args.columns.rows; row += step) {
    const std::int64_t first = row * args.columns.channels + at.channel;
    Floats<N> y = shift;
    multiply_add(load_floats<N>(args.x + first), scale, y);
    store_floats(args.y + first, y);
  }
}

}  // namespace device

template <class T>
void layer_norm(const LayerNormArgs<T>& args, Stream stream) {
  const RowLanes row = RowLanes::of_many<T>(args.rows, args.channels);
  const device::Grid grid{device::blocks_of(args.rows, row.rows()), RowLanes::threads};
  const auto launch_rows = [&](void (*kernel)(device::LayerNormRows<T>)) {
    device::launch("layer_norm", kernel, grid, stream, device::LayerNormRows<T>{args, row.lanes});
  };
  switch (row.packs) {
    case 1:
      return launch_rows(device::layer_norm_rows<T, 1>);
    case 2:
      return launch_rows(device::layer_norm_rows<T, 2>);
    case 3:
      return launch_rows(device::layer_norm_rows<T, 3>);
    case 4:
      return launch_rows(device::layer_norm_rows<T, 4>);
    case 5:
      return launch_rows(device::layer_norm_rows<T, 5>);
    default:
      device::launch("layer_norm", device::layer_norm_long_rows<T>, grid, stream, args);
  }
}

void batch_norm_affine(const BatchNormAffineArgs& args, Stream stream) {
  constexpr int threads = 128;
  const device::Grid grid{device::blocks_of(args.channels, threads), threads};
  device::launch("batch_norm_affine", device::batch_norm_affine_of_channels, grid, stream, args);
}

template <class T>
void scale_shift(const ScaleShiftArgs<T>& args, Stream stream) {
  constexpr int width = device::widest_pack<T>;
  device::launch(
      "scale_shift",
      args.columns.pack == 1 ? device::scale_shift_columns<T, 1> : device::scale_shift_columns<T, width>,
      device::column_grid(args.columns), stream, args);
}

template void layer_norm(const LayerNormArgs<float>&, Stream);
template void layer_norm(const LayerNormArgs<half>&, Stream);
template void layer_norm(const LayerNormArgs<bfloat16>&, Stream);
template void scale_shift(const ScaleShiftArgs<float>&, Stream);
template void scale_shift(const ScaleShiftArgs<half>&, Stream);
template void scale_shift(const ScaleShiftArgs<bfloat16>&, Stream);

}  // namespace dformer::cuda
