#pragma once

#include <algorithm>
#include <limits>

#include <dformer/backend/cuda/device/block_of_packs.cuh>
#include <dformer/backend/cuda/device/floats.cuh>
#include <dformer/backend/cuda/device/gradients/sum_slices.cuh>
#include <dformer/backend/cuda/device/launch.cuh>
#include <dformer/backend/cuda/device/raw_pack.cuh>
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

/// Packs of 8 bytes: the sums of a line of the filter, and the window of x that slides over them, then stay
/// in registers.
template <class T>
constexpr int weight_pack = 8 / static_cast<int>(sizeof(T));

/// How many lines of the filter a thread sums.
template <int Kernel>
constexpr int weight_lines = Kernel == 3 ? 3 : 1;

/// The rows of dy, counted through all images, are cut into `parts` strips each. Strips are counted
/// downwards, so that those that a block takes at a time share rows of x. The positions of a block are all
/// lines of the filter, for each of `strips`; it takes so many `turns` times, and makes one slice of the
/// sums.
template <class T>
struct DepthwiseWeightStrips {
  static constexpr int threads = 256;
  DepthwiseWeightArgs<T> gradient;
  BlockOfPacks block;
  int parts;
  int strips;
  int turns;
  int slices;
};

/// A strip that a thread goes along, from its `begin` to its `end`: what it loads next, of `Lines` rows of x
/// and of dy.
template <class T, int Lines>
struct DepthwiseWeightStrip {
  static constexpr int N = weight_pack<T>;
  int begin, end;  ///< columns of dy
  int x_column, dy_column;
  int width, channels;
  std::int64_t x_row;  ///< elements from a row of x to the next one
  const T* x;          ///< in the first row
  const T* dy;
  bool inside[Lines];

  __device__ __forceinline__ DepthwiseWeightStrip(const DepthwiseWeightStrips<T>& all, int number, int line,
                                                  int channel)
      : width(static_cast<int>(all.gradient.width)),
        channels(static_cast<int>(all.gradient.channels)),
        x_row(std::int64_t{width} * channels) {
    const DepthwiseWeightArgs<T>& args = all.gradient;
    const int height = static_cast<int>(args.height), y_height = static_cast<int>(args.y_height),
              y_width = static_cast<int>(args.y_width);
    const int rows = static_cast<int>(args.images) * y_height;
    const int part = number / rows, row = number % rows;
    const int top = row % y_height - args.window.padding + line;
    begin = dy_column = y_width * part / all.parts;
    end = y_width * (part + 1) / all.parts;
    x_column = begin - args.window.padding;
    x = args.x + (std::int64_t{row / y_height} * height + top) * x_row + x_column * channels + channel;
    dy = args.dy + (std::int64_t{row} * y_width + begin) * channels + channel;
    DFORMER_UNROLL
    for (int l = 0; l < Lines; ++l) inside[l] = top + l >= 0 && top + l < height;
  }

  __device__ __forceinline__ bool is_empty() const {
    bool any = false;
    DFORMER_UNROLL
    for (int l = 0; l < Lines; ++l) any = any || inside[l];
    return !any;
  }
  /// Zeros beyond the edges of x.
  __device__ __forceinline__ void load_x(RawPack<T, N> (&to)[Lines]) {
    const bool column_inside = static_cast<unsigned>(x_column) < static_cast<unsigned>(width);
    DFORMER_UNROLL
    for (int l = 0; l < Lines; ++l) {
      to[l] = {};
      if (column_inside && inside[l]) to[l].load(x + l * x_row);
    }
    x += channels;
    ++x_column;
  }
  /// Nothing beyond the end.
  __device__ __forceinline__ void load_dy(RawPack<T, N>& to) {
    if (dy_column < end) to.load(dy);
    dy += channels;
    ++dy_column;
  }
};

/// Stride and dilation 1. A thread slides along strips of dy: a window of `Kernel` pixels of x is in
/// registers, for each line that it sums, and each pixel is loaded once, `Kernel` steps before it is needed.
/// The threads of a block share what they load through the first cache. 3x3 is bound by memory; 7x7 in half
/// by its multiply-adds, seven for two elements that are loaded and converted.
template <class T, int Kernel>
__global__ void __launch_bounds__(DepthwiseWeightStrips<T>::threads, 2)
    depthwise_weight_lines(DepthwiseWeightStrips<T> all) {
  constexpr int N = weight_pack<T>, lines = weight_lines<Kernel>, line_groups = Kernel / lines;
  static_assert(Kernel % lines == 0, "depthwise_weight_lines: a thread takes whole groups of lines");
  const DepthwiseWeightArgs<T>& args = all.gradient;
  const int channels = static_cast<int>(args.channels);
  const int group = static_cast<int>(blockIdx.x) % all.block.groups;
  const int slice = static_cast<int>(blockIdx.x) / all.block.groups;
  const int position = all.block.position();
  const int line = position % line_groups * lines, strip_of_block = position / line_groups;
  const int first_channel = group * all.block.packs * N, channel = first_channel + all.block.pack() * N;

  float* const shared = dynamic_shared<float>();  // [strips][Kernel * Kernel][packs * N]
  const int width_of_block = all.block.packs * N;
  if (strip_of_block < all.strips && channel < channels) {
    Floats<N> sums[lines][Kernel];
    DFORMER_UNROLL
    for (int l = 0; l < lines; ++l) {
      DFORMER_UNROLL
      for (int k = 0; k < Kernel; ++k) sums[l][k] = Floats<N>::zero();
    }
    const int count = static_cast<int>(args.images * args.y_height) * all.parts;
    for (int turn = 0; turn < all.turns; ++turn) {
      const int number = (slice * all.turns + turn) * all.strips + strip_of_block;
      if (number >= count) break;
      DepthwiseWeightStrip<T, lines> strip(all, number, line, channel);
      if (strip.is_empty()) continue;

      Floats<N> window[Kernel][lines];  // of the pixel that tap k has in step s, in place (s + k) % Kernel
      RawPack<T, N> first[Kernel - 1][lines], x[Kernel][lines], dy[Kernel];
      DFORMER_UNROLL
      for (int k = 0; k < Kernel - 1; ++k) strip.load_x(first[k]);
      DFORMER_UNROLL
      for (int s = 0; s < Kernel; ++s) {
        strip.load_x(x[s]);
        strip.load_dy(dy[s]);
      }
      DFORMER_UNROLL
      for (int k = 0; k < Kernel - 1; ++k) {
        DFORMER_UNROLL
        for (int l = 0; l < lines; ++l) window[k][l] = first[k][l].floats();
      }
      for (int column = strip.begin; column < strip.end; column += Kernel) {
        DFORMER_UNROLL
        for (int s = 0; s < Kernel; ++s) {
          if (column + s >= strip.end) break;
          DFORMER_UNROLL
          for (int l = 0; l < lines; ++l) window[(s + Kernel - 1) % Kernel][l] = x[s][l].floats();
          const Floats<N> upstream = dy[s].floats();
          strip.load_x(x[s]);
          strip.load_dy(dy[s]);
          DFORMER_UNROLL
          for (int l = 0; l < lines; ++l) {
            DFORMER_UNROLL
            for (int k = 0; k < Kernel; ++k) multiply_add(window[(s + k) % Kernel][l], upstream, sums[l][k]);
          }
        }
      }
    }
    DFORMER_UNROLL
    for (int l = 0; l < lines; ++l) {
      DFORMER_UNROLL
      for (int k = 0; k < Kernel; ++k) {
        const int tap = (line + l) * Kernel + k;
        store_floats(
            shared + (strip_of_block * Kernel * Kernel + tap) * width_of_block + all.block.pack() * N,
            sums[l][k]);
      }
    }
  }
  __syncthreads();
  const int count = Kernel * Kernel * width_of_block;
  for (int i = static_cast<int>(threadIdx.x); i < count; i += static_cast<int>(blockDim.x)) {
    const int to = first_channel + i % width_of_block;
    if (to >= channels) continue;
    float sum = 0.0f;
    for (int s = 0; s < all.strips; ++s) sum += shared[s * count + i];
    args.sums[(std::int64_t{slice} * Kernel * Kernel + i / width_of_block) * channels + to] = sum;
  }
}

/// Rows of dy, counted through all images.
template <class T>
struct DepthwiseWeightRows {
  DepthwiseWeightArgs<T> gradient;
  std::int64_t slices;
};

/// Any window and number of channels. A block sums one tap for 32 channels, its warps taking the rows of the
/// slice in turn.
template <class T>
__global__ void depthwise_weight_taps(DepthwiseWeightRows<T> rows) {
  const DepthwiseWeightArgs<T>& args = rows.gradient;
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
  const std::int64_t row_count = args.images * args.y_height;
  const std::int64_t begin = row_count * index / rows.slices, end = row_count * (index + 1) / rows.slices;
  for (std::int64_t at = begin + warp; at < end && channel < args.channels; at += warps) {
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

/// The kernel size that depthwise_weight_lines is made for and shall be used with, or 0.
template <class T>
int kernel_of_weight_lines(const DepthwiseWeightArgs<T>& args) {
  constexpr std::int64_t most = std::numeric_limits<int>::max();
  const Window& window = args.window;
  const bool made_for = window.kernel == 3 || window.kernel == 5 || window.kernel == 7;
  return made_for && window.stride == 1 && window.dilation == 1 && args.channels % weight_pack<T> == 0 &&
                 args.images * args.y_height * args.y_width <= most / 8 &&
                 args.width * args.channels <= most && args.y_width * args.channels <= most
             ? window.kernel
             : 0;
}

/// Two rounds of blocks on a large GPU, none of which has much less to do than another.
template <class T>
DepthwiseWeightStrips<T> depthwise_weight_strips(const DepthwiseWeightArgs<T>& args) {
  constexpr std::int64_t blocks_wanted = 528, threads_wanted = 1 << 16, least_columns = 16;
  const int kernel = args.window.kernel, line_groups = kernel == 3 ? kernel / weight_lines<3> : kernel;
  const std::int64_t packs = args.channels / weight_pack<T>, rows = args.images * args.y_height;
  DepthwiseWeightStrips<T> all{};
  all.gradient = args;
  const std::int64_t most_parts = std::max<std::int64_t>(1, args.y_width / least_columns);
  all.parts = static_cast<int>(
      std::clamp<std::int64_t>(threads_wanted / (rows * packs * line_groups), 1, most_parts));
  const std::int64_t strips = rows * all.parts;
  all.block = block_of_packs(packs, all.threads, strips * line_groups);
  all.strips = all.block.positions / line_groups;
  all.block.positions = all.strips * line_groups;
  const std::int64_t most_slices = std::max<std::int64_t>(1, blocks_wanted / all.block.groups);
  all.turns = static_cast<int>(blocks_of(strips, all.strips * most_slices));
  all.slices = static_cast<int>(blocks_of(strips, std::int64_t{all.strips} * all.turns));
  return all;
}

/// Enough blocks to keep a large GPU busy, each with a row for all of its warps.
template <class T>
DepthwiseWeightRows<T> depthwise_weight_rows(const DepthwiseWeightArgs<T>& args) {
  constexpr std::int64_t blocks = 1024, least_rows = 4;
  const std::int64_t most = std::max<std::int64_t>(1, args.images * args.y_height / least_rows);
  return {args, std::clamp<std::int64_t>(blocks / blocks_of(args.channels, 2 * warp_size), 1, most)};
}

template <int Kernel, class T>
void launch_depthwise_weight_lines(const DepthwiseWeightStrips<T>& all, Stream stream) {
  const auto shared =
      static_cast<std::size_t>(all.strips * Kernel * Kernel * all.block.packs * weight_pack<T>) *
      sizeof(float);
  launch("depthwise_conv2d_weight", depthwise_weight_lines<T, Kernel>,
         {std::int64_t{all.slices} * all.block.groups, all.block.threads(), shared}, stream, all);
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
std::int64_t depthwise_conv2d_weight_slices(const DepthwiseWeightArgs<T>& args) {
  return device::kernel_of_weight_lines(args) > 0 ? device::depthwise_weight_strips(args).slices
                                                  : device::depthwise_weight_rows(args).slices;
}

template <class T>
void depthwise_conv2d_weight(const DepthwiseWeightArgs<T>& args, Stream stream) {
  const std::int64_t taps = std::int64_t{args.window.kernel} * args.window.kernel;
  switch (device::kernel_of_weight_lines(args)) {
    case 3:
      device::launch_depthwise_weight_lines<3>(device::depthwise_weight_strips(args), stream);
      break;
    case 5:
      device::launch_depthwise_weight_lines<5>(device::depthwise_weight_strips(args), stream);
      break;
    case 7:
      device::launch_depthwise_weight_lines<7>(device::depthwise_weight_strips(args), stream);
      break;
    default: {
      const device::DepthwiseWeightRows<T> rows = device::depthwise_weight_rows(args);
      const std::int64_t groups = device::blocks_of(args.channels, device::warp_size);
      device::launch("depthwise_conv2d_weight", device::depthwise_weight_taps<T>,
                     {rows.slices * taps * groups, 128}, stream, rows);
    }
  }
  device::sum_slices(
      device::SumSlicesArgs{args.sums, args.dw, depthwise_conv2d_weight_slices(args), taps * args.channels},
      stream);
}

template void depthwise_conv2d_input(const DepthwiseInputArgs<float>&, Stream);
template void depthwise_conv2d_input(const DepthwiseInputArgs<half>&, Stream);
template void depthwise_conv2d_input(const DepthwiseInputArgs<bfloat16>&, Stream);

template std::int64_t depthwise_conv2d_weight_slices(const DepthwiseWeightArgs<float>&);
template void depthwise_conv2d_weight(const DepthwiseWeightArgs<float>&, Stream);
template std::int64_t depthwise_conv2d_weight_slices(const DepthwiseWeightArgs<half>&);
template void depthwise_conv2d_weight(const DepthwiseWeightArgs<half>&, Stream);
template std::int64_t depthwise_conv2d_weight_slices(const DepthwiseWeightArgs<bfloat16>&);
template void depthwise_conv2d_weight(const DepthwiseWeightArgs<bfloat16>&, Stream);

}  // namespace dformer::cuda
