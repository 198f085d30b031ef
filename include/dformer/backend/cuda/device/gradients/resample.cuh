#pragma once

#include <type_traits>

#include <dformer/backend/cuda/device/block_of_packs.cuh>
#include <dformer/backend/cuda/device/floats.cuh>
#include <dformer/backend/cuda/device/launch.cuh>
#include <dformer/backend/cuda/device/resize_tap.cuh>
#include <dformer/backend/cuda/kernels/gradients/resample.hpp>

namespace dformer::cuda {
namespace device {

/// The outputs [begin, end) that an input row took part in.
struct OutputSpan {
  int begin;
  int end;
};

__device__ __forceinline__ OutputSpan outputs_of(const ResizeAxis& axis, int input) {
  return {first_output(axis, input - 1), first_output(axis, input + 1)};
}
/// The share that an output has of an input row.
__device__ __forceinline__ float share_of(const ResizeAxis& axis, int input, int output) {
  const ResizeTap tap = resize_tap(axis, output);
  return (tap.first == input ? 1.0f - tap.weight : 0.0f) + (tap.second == input ? tap.weight : 0.0f);
}

__device__ __forceinline__ OutputSpan outputs_of(const PoolAxis& axis, int input) {
  const auto output_of = [&](std::int64_t i) { return i * axis.output; };
  return {static_cast<int>(output_of(input) / axis.input),
          static_cast<int>((output_of(input + 1) + axis.input - 1) / axis.input)};
}
__device__ __forceinline__ float share_of(const PoolAxis& axis, int, int output) {
  const std::int64_t first = std::int64_t{output} * axis.input / axis.output;
  const std::int64_t last = (std::int64_t{output + 1} * axis.input + axis.output - 1) / axis.output;
  return 1.0f / static_cast<float>(last - first);
}

/// A thread gathers a pack of channels of one pixel of dx from the pixels of dy that it took part in. Bound
/// by memory: neighbours read the same pixels of dy through the caches.
template <class T, class Axis, int N>
__global__ void gather_pixels(ResampleGradientArgs<T, Axis> args) {
  const std::int64_t packs = args.channels / N;
  const std::int64_t pixels = args.images * args.rows.input * args.columns.input;
  for (std::int64_t i = global_thread(); i < pixels * packs; i += global_threads()) {
    const std::int64_t pixel = i / packs, channel = i % packs * N;
    const int x_column = static_cast<int>(pixel % args.columns.input);
    const int x_row = static_cast<int>(pixel / args.columns.input % args.rows.input);
    const std::int64_t image = pixel / args.columns.input / args.rows.input;
    const OutputSpan rows = outputs_of(args.rows, x_row), columns = outputs_of(args.columns, x_column);
    Floats<N> sums = Floats<N>::zero();
    for (int row = rows.begin; row < rows.end; ++row) {
      const T* const dy =
          args.dy + (image * args.rows.output + row) * args.columns.output * args.channels + channel;
      Floats<N> row_sums = Floats<N>::zero();
      for (int column = columns.begin; column < columns.end; ++column) {
        multiply_add(share_of(args.columns, x_column, column), load_floats<N>(dy + column * args.channels),
                     row_sums);
      }
      multiply_add(share_of(args.rows, x_row, row), row_sums, sums);
    }
    store_floats(args.dx + pixel * args.channels + channel, sums);
  }
}

template <class T>
struct ResizeWindowArgs {
  ResampleGradientArgs<T, ResizeAxis> resize;
  BlockOfPacks block;
};

/// For pixels of dx that took part in many of dy. A block gathers one for a group of packs: its positions
/// take pixels of dy in turn, and their sums meet in shared memory. Bound by memory, where dy is read once,
/// and from the second-level cache by all four around it.
template <class T>
__global__ void gather_windows(ResizeWindowArgs<T> windows) {
  constexpr int N = widest_pack<T>;
  const ResampleGradientArgs<T, ResizeAxis>& args = windows.resize;
  const BlockOfPacks& layout = windows.block;
  const int group = static_cast<int>(blockIdx.x) % layout.groups;
  const int pixel = static_cast<int>(blockIdx.x) / layout.groups;
  const int x_column = pixel % args.columns.input, x_row = pixel / args.columns.input % args.rows.input;
  const std::int64_t image = pixel / args.columns.input / args.rows.input;
  const OutputSpan rows = outputs_of(args.rows, x_row), columns = outputs_of(args.columns, x_column);
  const int across = columns.end - columns.begin, count = (rows.end - rows.begin) * across;
  const int position = layout.position();
  const std::int64_t first_channel = std::int64_t{group} * layout.packs * N;
  const std::int64_t channel = first_channel + layout.pack() * N;

  float* const shared = dynamic_shared<float>();  // [positions][packs * N]
  if (position < layout.positions && channel < args.channels) {
    const std::int64_t first = (image * args.rows.output + rows.begin) * args.columns.output + columns.begin;
    const T* const dy = args.dy + first * args.channels + channel;
    Floats<N> sums = Floats<N>::zero();
    for (int i = position; i < count; i += layout.positions) {
      const int row = i / across, column = i % across;
      const float share = share_of(args.rows, x_row, rows.begin + row) *
                          share_of(args.columns, x_column, columns.begin + column);
      multiply_add(share, load_floats<N>(dy + (row * args.columns.output + column) * args.channels), sums);
    }
    store_floats(shared + (position * layout.packs + layout.pack()) * N, sums);
  }
  __syncthreads();
  const int channels = layout.packs * N;
  for (int c = static_cast<int>(threadIdx.x); c < channels && first_channel + c < args.channels;
       c += static_cast<int>(blockDim.x)) {
    const float sum = layout.sum_of_positions(shared, channels, c);
    args.dx[std::int64_t{pixel} * args.channels + first_channel + c] = from_float<T>(sum);
  }
}

/// About how many pixels of dy a pixel of dx took part in.
inline std::int64_t pixels_of_window(const ResizeAxis& rows, const ResizeAxis& columns) {
  const auto extent = [](const ResizeAxis& axis) { return 2 * blocks_of(axis.output, axis.input); };
  return extent(rows) * extent(columns);
}

template <class T>
void launch_gather_windows(const ResampleGradientArgs<T, ResizeAxis>& args, Stream stream) {
  constexpr int N = widest_pack<T>;
  const std::int64_t pixels = args.images * args.rows.input * args.columns.input;
  const ResizeWindowArgs<T> windows{
      args, block_of_packs(args.channels / N, 256, pixels_of_window(args.rows, args.columns))};
  const BlockOfPacks& block = windows.block;
  const auto shared = static_cast<std::size_t>(block.positions * block.packs * N) * sizeof(float);
  launch("resample_gradient", gather_windows<T>, {pixels * block.groups, block.threads(), shared}, stream,
         windows);
}

}  // namespace device

template <class T, class Axis>
void resample_gradient(const ResampleGradientArgs<T, Axis>& args, Stream stream) {
  constexpr int width = device::widest_pack<T>;
  const bool wide = args.channels % width == 0;
  if constexpr (std::is_same_v<Axis, ResizeAxis>) {
    constexpr std::int64_t many = 64;
    if (wide && device::pixels_of_window(args.rows, args.columns) >= many) {
      return device::launch_gather_windows(args, stream);
    }
  }
  const std::int64_t elements = args.images * args.rows.input * args.columns.input * args.channels;
  device::launch("resample_gradient",
                 wide ? device::gather_pixels<T, Axis, width> : device::gather_pixels<T, Axis, 1>,
                 device::elementwise_grid(elements / (wide ? width : 1)), stream, args);
}

template void resample_gradient(const ResampleGradientArgs<float, ResizeAxis>&, Stream);
template void resample_gradient(const ResampleGradientArgs<half, ResizeAxis>&, Stream);
template void resample_gradient(const ResampleGradientArgs<bfloat16, ResizeAxis>&, Stream);

template void resample_gradient(const ResampleGradientArgs<float, PoolAxis>&, Stream);
template void resample_gradient(const ResampleGradientArgs<half, PoolAxis>&, Stream);
template void resample_gradient(const ResampleGradientArgs<bfloat16, PoolAxis>&, Stream);

}  // namespace dformer::cuda
