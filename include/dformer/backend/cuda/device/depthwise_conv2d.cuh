#pragma once

#include <limits>

#include <dformer/backend/cuda/device/block_of_packs.cuh>
#include <dformer/backend/cuda/device/epilogue_element.cuh>
#include <dformer/backend/cuda/device/floats.cuh>
#include <dformer/backend/cuda/device/launch.cuh>
#include <dformer/backend/cuda/device/raw_pack.cuh>
#include <dformer/backend/cuda/kernels/depthwise_conv2d.hpp>

namespace dformer::cuda {
namespace device {

/// `strips` neighbouring strips of pixels in each of the rows of a block.
template <class T>
struct DepthwiseStripArgs {
  static constexpr int strips = 2;
  DepthwiseArgs<T> convolution;
  BlockOfPacks block;
  int rows;
  int row_tiles;
  int column_tiles;
  float input_factor;  ///< what of x itself is added to each sum
};

/// What a strip of pixels needs for one line of the window.
template <class T, int N, int Kernel, int Pixels>
struct DepthwiseLine {
  RawPack<T, N> x[Pixels + Kernel - 1];
  RawPack<T, N> filter[Kernel];

  /// Slides over the pixels, each of which serves all sums that it takes part in. `more` is added to the
  /// middle of the line's filters.
  __device__ __forceinline__ void add_products_to(Floats<N> (&sums)[Pixels], float more) const {
    Floats<N> factors[Kernel];
    DFORMER_UNROLL
    for (int k = 0; k < Kernel; ++k) factors[k] = filter[k].floats();
    DFORMER_UNROLL
    for (int i = 0; i < N; ++i) factors[Kernel / 2].values[i] += more;
    DFORMER_UNROLL
    for (int i = 0; i < Pixels + Kernel - 1; ++i) {
      const Floats<N> value = x[i].floats();
      DFORMER_UNROLL
      for (int k = 0; k < Kernel; ++k) {
        if (i - k >= 0 && i - k < Pixels) multiply_add(value, factors[k], sums[i - k]);
      }
    }
  }
};

/// Blocks of 128 threads that a multiprocessor shall hold at once: as many as hardly spill.
template <class T, int Pixels>
constexpr int depthwise_blocks = (Pixels > 2 ? 4 : 5) - (sizeof(T) == 4 ? 1 : 0);

/// Stride and dilation 1. A thread makes `Pixels` neighbours of a row for one pack of channels, line by line
/// of the window; while it multiplies one line, the next is on its way. Lines are shared by the rows of a
/// block through the first cache, so that from memory x is read once, but for the tile's edge, and 3x3 is
/// bound by memory. Where it makes 7x7 in half (depthwise_on_tensor_cores.cuh mostly does) it is bound by 49
/// multiply-adds an element, with a load, and its conversion, for every second of them. Where x itself is
/// added
/// (`input_factor`), the middle element of each filter is one larger.
template <class T, int N, int Kernel, int Pixels>
__global__ void __launch_bounds__(128, depthwise_blocks<T, Pixels>)
    depthwise_strips(DepthwiseStripArgs<T> tiles) {
  static_assert(Kernel % 2 == 1, "depthwise_strips: lines are taken in pairs, and one");
  const DepthwiseArgs<T>& args = tiles.convolution;
  int block = static_cast<int>(blockIdx.x);
  const int group = block % tiles.block.groups;
  block /= tiles.block.groups;
  const int column_tile = block % tiles.column_tiles;
  block /= tiles.column_tiles;
  const int row_tile = block % tiles.row_tiles, image = block / tiles.row_tiles;
  const int height = static_cast<int>(args.height), width = static_cast<int>(args.width);
  const int y_height = static_cast<int>(args.y_height), y_width = static_cast<int>(args.y_width);
  const int channels = static_cast<int>(args.channels);
  const int position = tiles.block.position();
  const int channel = (group * tiles.block.packs + tiles.block.pack()) * N;
  const int row = row_tile * tiles.rows + position / tiles.strips;
  const int column = (column_tile * tiles.strips + position % tiles.strips) * Pixels;
  if (position >= tiles.block.positions || channel >= channels || row >= y_height || column >= y_width)
    return;

  const T* const x = args.x + image * (args.height * args.width * args.channels) + channel;
  const T* const filter = args.weight + (args.turned ? Kernel * Kernel - 1 : 0) * channels + channel;
  const int tap_step = args.turned ? -channels : channels;
  const int top = row - args.window.padding, left = column - args.window.padding;
  using Line = DepthwiseLine<T, N, Kernel, Pixels>;
  const auto load_line = [&](int number, Line& line) {
    DFORMER_UNROLL
    for (int k = 0; k < Kernel; ++k) {
      line.filter[k].load(filter + (number * Kernel + k) * tap_step);
    }
    const bool row_inside = top + number >= 0 && top + number < height;
    const T* const from = x + ((top + number) * width + left) * channels;
    DFORMER_UNROLL
    for (int i = 0; i < Pixels + Kernel - 1; ++i) {
      line.x[i] = {};
      if (row_inside && left + i >= 0 && left + i < width) line.x[i].load(from + i * channels);
    }
  };

  Floats<N> sums[Pixels];
  DFORMER_UNROLL
  for (int p = 0; p < Pixels; ++p) sums[p] = Floats<N>::zero();
  Line even, odd;
  load_line(0, even);
  // Where there are more than three, a loop is sooner fetched than all its turns one behind the other.
  const int lines = Kernel == 3 ? Kernel : args.window.kernel;
  for (int number = 0; number + 1 < lines; number += 2) {
    load_line(number + 1, odd);
    even.add_products_to(sums, number == Kernel / 2 ? tiles.input_factor : 0.0f);
    load_line(number + 2, even);
    odd.add_products_to(sums, number + 1 == Kernel / 2 ? tiles.input_factor : 0.0f);
  }
  even.add_products_to(sums, 0.0f);

  const std::int64_t first = ((std::int64_t{image} * y_height + row) * y_width + column) * channels + channel;
  const int pixels = y_width - column;
  apply_epilogue(args.epilogue, channel, first, channels, pixels, sums);
  DFORMER_UNROLL
  for (int p = 0; p < Pixels; ++p) {
    if (p < pixels) store_floats(args.y + first + p * channels, sums[p]);
  }
}

/// Any window. A thread makes one pixel for N channels.
template <class T, int N>
__global__ void depthwise_pixels(DepthwiseArgs<T> args) {
  const Window window = args.window;
  const std::int64_t packs = args.channels / N, pixels = args.images * args.y_height * args.y_width;
  for (std::int64_t i = global_thread(); i < pixels * packs; i += global_threads()) {
    const std::int64_t channel = i % packs * N, pixel = i / packs;
    const std::int64_t image = pixel / (args.y_height * args.y_width);
    const std::int64_t top = pixel / args.y_width % args.y_height * window.stride - window.padding;
    const std::int64_t left = pixel % args.y_width * window.stride - window.padding;
    Floats<N> sums = Floats<N>::zero();
    for (int line = 0; line < window.kernel; ++line) {
      const std::int64_t row = top + line * window.dilation;
      if (row < 0 || row >= args.height) continue;
      const T* const x = args.x + (image * args.height + row) * args.width * args.channels + channel;
      for (int k = 0; k < window.kernel; ++k) {
        const std::int64_t column = left + k * window.dilation;
        if (column < 0 || column >= args.width) continue;
        const int tap = line * window.kernel + k;
        const int meant = args.turned ? window.kernel * window.kernel - 1 - tap : tap;
        multiply_add(load_floats<N>(x + column * args.channels),
                     load_floats<N>(args.weight + meant * args.channels + channel), sums);
      }
    }
    const std::int64_t at = pixel * args.channels + channel;
    apply_epilogue(args.epilogue, channel, at, sums);
    store_floats(args.y + at, sums);
  }
}

template <int N, int Kernel, int Pixels, class T>
void launch_depthwise_strips(const DepthwiseArgs<T>& args, Stream stream) {
  DepthwiseStripArgs<T> tiles{};
  tiles.convolution = args;
  if (adds_input(args)) {
    tiles.convolution.epilogue.residual = nullptr;
    tiles.input_factor = 1.0f;
  }
  tiles.block = block_of_packs(args.channels / N, 128, tiles.strips * args.y_height);
  tiles.rows = tiles.block.positions / tiles.strips;
  tiles.block.positions = tiles.rows * tiles.strips;
  tiles.row_tiles = static_cast<int>(blocks_of(args.y_height, tiles.rows));
  tiles.column_tiles = static_cast<int>(blocks_of(args.y_width, tiles.strips * Pixels));
  launch("depthwise_conv2d", depthwise_strips<T, N, Kernel, Pixels>,
         {args.images * tiles.row_tiles * tiles.column_tiles * tiles.block.groups, tiles.block.threads()},
         stream, tiles);
}

/// Strips of `Pixels` for N channels where their threads fill a large GPU, and else smaller ones.
template <int N, int Kernel, int Pixels, class T>
void launch_depthwise_strips_that_fill(const DepthwiseArgs<T>& args, Stream stream) {
  constexpr std::int64_t threads_wanted = 1 << 17;
  const std::int64_t elements = args.images * args.y_height * args.y_width * args.channels;
  if (elements / (N * Pixels) >= threads_wanted) {
    launch_depthwise_strips<N, Kernel, Pixels>(args, stream);
  } else {
    launch_depthwise_strips<4, Kernel, 2>(args, stream);
  }
}

}  // namespace device

template <class T>
void depthwise_conv2d(const DepthwiseArgs<T>& args, Stream stream) {
  constexpr int width = device::widest_pack<T>;
  const bool wide = args.channels % width == 0;
  const Window& window = args.window;
  const bool strips = wide && window.stride == 1 && window.dilation == 1 &&
                      args.height * args.width * args.channels <= std::numeric_limits<int>::max();
  const int kernel = strips ? window.kernel : 0;
  if (kernel == 3) return device::launch_depthwise_strips_that_fill<width, 3, 4>(args, stream);
  if (kernel == 5) return device::launch_depthwise_strips_that_fill<4, 5, 4>(args, stream);
  constexpr int pixels = width == 4 ? 4 : 6;  // as many as registers hold
  if (kernel == 7) return device::launch_depthwise_strips_that_fill<4, 7, pixels>(args, stream);
  const auto grid = device::elementwise_grid(args.images * args.y_height * args.y_width * args.channels /
                                             (wide ? width : 1));
  device::launch("depthwise_conv2d",
                 wide ? device::depthwise_pixels<T, width> : device::depthwise_pixels<T, 1>, grid, stream,
                 args);
}

template void depthwise_conv2d(const DepthwiseArgs<float>&, Stream);
template void depthwise_conv2d(const DepthwiseArgs<half>&, Stream);
template void depthwise_conv2d(const DepthwiseArgs<bfloat16>&, Stream);

}  // namespace dformer::cuda
