#pragma once

#include <dformer/backend/cuda/device/block_of_packs.cuh>
#include <dformer/backend/cuda/device/floats.cuh>
#include <dformer/backend/cuda/device/gradients/sum_slices.cuh>
#include <dformer/backend/cuda/device/launch.cuh>
#include <dformer/backend/cuda/kernels/gradients/depthwise_conv2d.hpp>

namespace dformer::cuda {
namespace device {

/// Where an input position lies among the outputs whose window has a certain tap on it; negative where there
/// is none.
__device__ __forceinline__ std::int64_t output_of_tap(const Window& window, int tap, std::int64_t position) {
  const std::int64_t distance = position + window.padding - std::int64_t{tap} * window.dilation;
  return distance >= 0 && distance % window.stride == 0 ? distance / window.stride : -1;
}

/// Any window. A thread gathers one pixel of dx for N channels from the outputs that it took part in.
template <class T, int N>
__global__ void depthwise_input_pixels(DepthwiseInputArgs<T> args) {
  start_behind_previous();
  const Window window = args.window;
  const std::int64_t packs = args.channels / N, pixels = args.images * args.height * args.width;
  for (std::int64_t i = global_thread(); i < pixels * packs; i += global_threads()) {
    const std::int64_t channel = i % packs * N, pixel = i / packs;
    const std::int64_t column = pixel % args.width, row = pixel / args.width % args.height;
    const std::int64_t image = pixel / (args.width * args.height);
    Floats<N> sums = Floats<N>::zero();
    for (int line = 0; line < window.kernel; ++line) {
      const std::int64_t y_row = output_of_tap(window, line, row);
      if (y_row < 0 || y_row >= args.y_height) continue;
      const T* const dy = args.dy + (image * args.y_height + y_row) * args.y_width * args.channels + channel;
      for (int tap = 0; tap < window.kernel; ++tap) {
        const std::int64_t y_column = output_of_tap(window, tap, column);
        if (y_column < 0 || y_column >= args.y_width) continue;
        const T* const weight = args.weight + (line * window.kernel + tap) * args.channels + channel;
        multiply_add(load_floats<N>(dy + y_column * args.channels), load_floats<N>(weight), sums);
      }
    }
    store_floats(args.dx + pixel * args.channels + channel, sums);
  }
}

/// Rows of dy, counted through all images.
struct RowSlice {
  std::int64_t begin;
  std::int64_t end;

  template <class T>
  __device__ __forceinline__ RowSlice(const DepthwiseWeightArgs<T>& args, std::int64_t slice) {
    const std::int64_t rows = args.images * args.y_height;
    begin = rows * slice / args.slices;
    end = rows * (slice + 1) / args.slices;
  }
};

/// The positions of a block are `Kernel` lines of the window, for each of `subslices` that take the rows of
/// the slice in turn.
template <class T>
struct DepthwiseWeightBlockArgs {
  DepthwiseWeightArgs<T> gradient;
  BlockOfPacks block;
  int subslices;
};

/// Adds what `Pixels` neighbours in a row of dy give to one line of the filter. They stay in registers, and
/// every pixel of x is loaded once for all of them.
template <int Kernel, int Pixels, class T>
__device__ __forceinline__ void depthwise_weight_tile(const T* x, std::int64_t left, std::int64_t width,
                                                      const T* dy, std::int64_t channels,
                                                      Floats<widest_pack<T>> (&sums)[Kernel]) {
  constexpr int N = widest_pack<T>;
  Floats<N> upstream[Pixels];
  DFORMER_UNROLL
  for (int p = 0; p < Pixels; ++p) upstream[p] = load_floats<N>(dy + p * channels);
  DFORMER_UNROLL
  for (int i = 0; i < Pixels + Kernel - 1; ++i) {
    const bool inside = left + i >= 0 && left + i < width;
    const Floats<N> value = inside ? load_floats<N>(x + (left + i) * channels) : Floats<N>::zero();
    DFORMER_UNROLL
    for (int k = 0; k < Kernel; ++k) {
      if (i - k >= 0 && i - k < Pixels) multiply_add(value, upstream[i - k], sums[k]);
    }
  }
}

/// Stride and dilation 1. A thread sums one line of the filter for a pack of channels, sliding along the rows
/// of its subslice; the lines of a block read the same rows of x and dy through the first cache. Bound by
/// memory for 3x3, by its multiply-adds for 7x7.
template <class T, int Kernel>
__global__ void __launch_bounds__(128) depthwise_weight_lines(DepthwiseWeightBlockArgs<T> blocks) {
  start_behind_previous();
  constexpr int N = widest_pack<T>, pixels = 4;
  const DepthwiseWeightArgs<T>& args = blocks.gradient;
  const BlockOfPacks& layout = blocks.block;
  const std::int64_t group = blockIdx.x % static_cast<unsigned>(layout.groups);
  const std::int64_t index = blockIdx.x / static_cast<unsigned>(layout.groups);
  const int position = layout.position();
  const int line = position % Kernel, subslice = position / Kernel;
  const std::int64_t first_channel = group * layout.packs * N, channel = first_channel + layout.pack() * N;

  float* const shared = dynamic_shared<float>();  // [subslices][Kernel * Kernel][packs * N]
  const int width_of_block = layout.packs * N;
  if (subslice < blocks.subslices && channel < args.channels) {
    Floats<N> sums[Kernel];
    DFORMER_UNROLL
    for (int k = 0; k < Kernel; ++k) sums[k] = Floats<N>::zero();
    const RowSlice slice(args, index);
    for (std::int64_t at = slice.begin + subslice; at < slice.end; at += blocks.subslices) {
      const std::int64_t row = at % args.y_height - args.window.padding + line;
      if (row < 0 || row >= args.height) continue;
      const T* const x =
          args.x + (at / args.y_height * args.height + row) * args.width * args.channels + channel;
      const T* const dy = args.dy + at * args.y_width * args.channels + channel;
      std::int64_t column = 0;
      for (; column + pixels <= args.y_width; column += pixels) {
        depthwise_weight_tile<Kernel, pixels>(x, column - args.window.padding, args.width,
                                              dy + column * args.channels, args.channels, sums);
      }
      for (; column < args.y_width; ++column) {
        depthwise_weight_tile<Kernel, 1>(x, column - args.window.padding, args.width,
                                         dy + column * args.channels, args.channels, sums);
      }
    }
    DFORMER_UNROLL
    for (int k = 0; k < Kernel; ++k) {
      store_floats(shared + ((subslice * Kernel + line) * Kernel + k) * width_of_block + layout.pack() * N,
                   sums[k]);
    }
  }
  __syncthreads();
  const int count = Kernel * Kernel * width_of_block;
  for (int i = static_cast<int>(threadIdx.x); i < count; i += static_cast<int>(blockDim.x)) {
    const std::int64_t to = first_channel + i % width_of_block;
    if (to >= args.channels) continue;
    float sum = 0.0f;
    for (int s = 0; s < blocks.subslices; ++s) sum += shared[s * count + i];
    args.sums[(index * Kernel * Kernel + i / width_of_block) * args.channels + to] = sum;
  }
}

/// Any window and number of channels. A block sums one tap for 32 channels, its warps taking the rows of the
/// slice in turn.
template <class T>
__global__ void depthwise_weight_taps(DepthwiseWeightArgs<T> args) {
  start_behind_previous();
  constexpr int warps = 4;
  __shared__ float shared[warps][warp_size];
  const Window window = args.window;
  const int taps = window.kernel * window.kernel;
  const std::int64_t groups = (args.channels + warp_size - 1) / warp_size;
  const int lane = static_cast<int>(threadIdx.x) % warp_size,
            warp = static_cast<int>(threadIdx.x) / warp_size;
  const std::int64_t channel = blockIdx.x % groups * warp_size + lane;
  const int tap = static_cast<int>(blockIdx.x / groups % taps);
  const std::int64_t index = blockIdx.x / groups / taps;
  const std::int64_t down = tap / window.kernel * window.dilation - window.padding;
  const std::int64_t across = tap % window.kernel * window.dilation - window.padding;
  float sum = 0.0f;
  const RowSlice slice(args, index);
  for (std::int64_t at = slice.begin + warp; at < slice.end && channel < args.channels; at += warps) {
    const std::int64_t row = at % args.y_height * window.stride + down;
    if (row < 0 || row >= args.height) continue;
    const T* const x =
        args.x + (at / args.y_height * args.height + row) * args.width * args.channels + channel;
    const T* const dy = args.dy + at * args.y_width * args.channels + channel;
    float row_sum = 0.0f;
    for (std::int64_t y_column = 0; y_column < args.y_width; ++y_column) {
      const std::int64_t column = y_column * window.stride + across;
      if (column < 0 || column >= args.width) continue;
      row_sum = fmaf(to_float(x[column * args.channels]), to_float(dy[y_column * args.channels]), row_sum);
    }
    sum += row_sum;
  }
  shared[warp][lane] = sum;
  __syncthreads();
  if (warp != 0 || channel >= args.channels) return;
  for (int w = 1; w < warps; ++w) sum += shared[w][lane];
  args.sums[(index * taps + tap) * args.channels + channel] = sum;
}

template <int Kernel, class T>
void launch_depthwise_weight_lines(const DepthwiseWeightArgs<T>& args, Stream stream) {
  constexpr int N = widest_pack<T>;
  DepthwiseWeightBlockArgs<T> blocks{args, block_of_packs(args.channels / N, 128, 128), 0};
  BlockOfPacks& block = blocks.block;
  blocks.subslices = block.positions / Kernel;
  block.positions = blocks.subslices * Kernel;
  const auto shared =
      static_cast<std::size_t>(blocks.subslices * Kernel * Kernel * block.packs * N) * sizeof(float);
  launch("depthwise_conv2d_weight", depthwise_weight_lines<T, Kernel>,
         {args.slices * block.groups, block.threads(), shared}, stream, blocks);
}

}  // namespace device

template <class T>
void depthwise_conv2d_input(const DepthwiseInputArgs<T>& args, Stream stream) {
  constexpr int width = device::widest_pack<T>;
  const bool wide = args.channels % width == 0;
  const auto grid =
      device::elementwise_grid(args.images * args.height * args.width * args.channels / (wide ? width : 1));
  device::launch("depthwise_conv2d_input",
                 wide ? device::depthwise_input_pixels<T, width> : device::depthwise_input_pixels<T, 1>, grid,
                 stream, args);
}

template <class T>
void depthwise_conv2d_weight(const DepthwiseWeightArgs<T>& args, Stream stream) {
  const Window& window = args.window;
  const std::int64_t taps = window.kernel * window.kernel;
  const bool wide = args.channels % device::widest_pack<T> == 0;
  const int kernel = wide && window.stride == 1 && window.dilation == 1 ? window.kernel : 0;
  if (kernel == 3) {
    device::launch_depthwise_weight_lines<3>(args, stream);
  } else if (kernel == 5) {
    device::launch_depthwise_weight_lines<5>(args, stream);
  } else if (kernel == 7) {
    device::launch_depthwise_weight_lines<7>(args, stream);
  } else {
    const std::int64_t groups = device::blocks_of(args.channels, device::warp_size);
    device::launch("depthwise_conv2d_weight", device::depthwise_weight_taps<T>,
                   {args.slices * taps * groups, 128}, stream, args);
  }
  device::sum_slices(device::SumSlicesArgs{args.sums, args.dw, args.slices, taps * args.channels}, stream);
}

template void depthwise_conv2d_input(const DepthwiseInputArgs<float>&, Stream);
template void depthwise_conv2d_input(const DepthwiseInputArgs<half>&, Stream);
template void depthwise_conv2d_input(const DepthwiseInputArgs<bfloat16>&, Stream);

template void depthwise_conv2d_weight(const DepthwiseWeightArgs<float>&, Stream);
template void depthwise_conv2d_weight(const DepthwiseWeightArgs<half>&, Stream);
template void depthwise_conv2d_weight(const DepthwiseWeightArgs<bfloat16>&, Stream);

}  // namespace dformer::cuda
