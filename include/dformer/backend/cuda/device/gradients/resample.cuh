#pragma once

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
  start_behind_previous();
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

}  // namespace device

template <class T, class Axis>
void resample_gradient(const ResampleGradientArgs<T, Axis>& args, Stream stream) {
  constexpr int width = device::widest_pack<T>;
  const bool wide = args.channels % width == 0;
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
