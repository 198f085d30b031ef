#pragma once

#include <dformer/backend/cuda/device/floats.cuh>
#include <dformer/backend/cuda/device/launch.cuh>
#include <dformer/backend/cuda/device/resize_tap.cuh>
#include <dformer/backend/cuda/kernels/resample.hpp>

namespace dformer::cuda {
namespace device {

template <int N>
__device__ __forceinline__ Floats<N> interpolated(const Floats<N>& a, const Floats<N>& b, float weight) {
  Floats<N> result;
  DFORMER_UNROLL
  for (int i = 0; i < N; ++i) result.values[i] = interpolated(a.values[i], b.values[i], weight);
  return result;
}

template <class T>
struct ResizeRowArgs {
  ResizeArgs<T> resize;
  int row_blocks;  ///< blocks that make one row of the result
};

/// Bound by memory: y is written once, and x read from the caches by all pixels around. A thread makes a pack
/// of channels of one pixel.
template <class T, int N>
__global__ void resize_rows(ResizeRowArgs<T> rows) {
  const ResizeArgs<T>& args = rows.resize;
  const int block = static_cast<int>(blockIdx.x) % rows.row_blocks;
  const int y_row = static_cast<int>(blockIdx.x) / rows.row_blocks;
  const int packs = static_cast<int>(args.channels) / N;
  const int at = block * static_cast<int>(blockDim.x) + static_cast<int>(threadIdx.x);
  const int y_column = at / packs;
  if (y_column >= args.columns.output) return;
  const std::int64_t channel = std::int64_t{at % packs} * N;
  const ResizeTap row = resize_tap(args.rows, y_row % args.rows.output);
  const ResizeTap column = resize_tap(args.columns, y_column);
  const std::int64_t top = std::int64_t{y_row / args.rows.output} * args.rows.input;
  const auto load = [&](int line, int across) {
    return load_floats<N>(args.x + ((top + line) * args.columns.input + across) * args.channels + channel);
  };
  const Floats<N> left =
      interpolated(load(row.first, column.first), load(row.second, column.first), row.weight);
  const Floats<N> right =
      interpolated(load(row.first, column.second), load(row.second, column.second), row.weight);
  const std::int64_t pixel = std::int64_t{y_row} * args.columns.output + y_column;
  store_floats(args.y + pixel * args.channels + channel, interpolated(left, right, column.weight));
}

}  // namespace device

template <class T>
void resize_bilinear(const ResizeArgs<T>& args, Stream stream) {
  constexpr int threads = 128, width = device::widest_pack<T>;
  const bool wide = args.channels % width == 0;
  const std::int64_t packs = args.columns.output * args.channels / (wide ? width : 1);
  const device::ResizeRowArgs<T> rows{args, static_cast<int>(device::blocks_of(packs, threads))};
  device::launch("resize_bilinear", wide ? device::resize_rows<T, width> : device::resize_rows<T, 1>,
                 {args.images * args.rows.output * rows.row_blocks, threads}, stream, rows);
}

template void resize_bilinear(const ResizeArgs<float>&, Stream);
template void resize_bilinear(const ResizeArgs<half>&, Stream);
template void resize_bilinear(const ResizeArgs<bfloat16>&, Stream);

}  // namespace dformer::cuda
