#pragma once

#include <dformer/backend/cuda/device/block_of_packs.cuh>
#include <dformer/backend/cuda/device/epilogue_element.cuh>
#include <dformer/backend/cuda/device/floats.cuh>
#include <dformer/backend/cuda/device/launch.cuh>
#include <dformer/backend/cuda/kernels/depthwise_conv2d.hpp>

namespace dformer::cuda {
namespace device {

/// The filters' elements at one place in the window, for channels from `channel` on.
template <int N, class T>
__device__ __forceinline__ Floats<N> filter_tap(const DepthwiseArgs<T>& args, int tap, std::int64_t channel) {
  const int taps = args.window.kernel * args.window.kernel;
  return load_floats<N>(args.weight + (args.turned ? taps - 1 - tap : tap) * args.channels + channel);
}

/// `strips` neighbouring strips of pixels in each of the rows of a block.
template <class T>
struct DepthwiseStripArgs {
  static constexpr int strips = 2;
  DepthwiseArgs<T> convolution;
  BlockOfPacks block;
  int rows;
  int row_tiles;
  int column_tiles;
};

/// Stride and dilation 1. A thread makes `Pixels` neighbours of a row for one pack of channels: of each line
/// of the window it loads the filter once and slides over the pixels, each of which serves all sums that it
/// takes part in. Lines are shared by the rows of a block through the first cache, so that from memory x is
/// read once, but for the tile's edge, and 3x3 is bound by memory. 7x7 in half is bound by its 49
/// multiply-adds an element, with a load, and its conversion, for every second of them.
template <class T, int Kernel, int Pixels>
__global__ void __launch_bounds__(128, 3) depthwise_strips(DepthwiseStripArgs<T> tiles) {
  constexpr int N = widest_pack<T>;
  const DepthwiseArgs<T>& args = tiles.convolution;
  int block = static_cast<int>(blockIdx.x);
  const int group = block % tiles.block.groups;
  block /= tiles.block.groups;
  const int column_tile = block % tiles.column_tiles;
  block /= tiles.column_tiles;
  const int row_tile = block % tiles.row_tiles;
  const std::int64_t image = block / tiles.row_tiles;
  const int position = tiles.block.position();
  const std::int64_t channel = (std::int64_t{group} * tiles.block.packs + tiles.block.pack()) * N;
  const int row = row_tile * tiles.rows + position / tiles.strips;
  const int column = (column_tile * tiles.strips + position % tiles.strips) * Pixels;
  if (position >= tiles.block.positions || channel >= args.channels || row >= args.y_height ||
      column >= args.y_width) {
    return;
  }

  Floats<N> sums[Pixels];
  DFORMER_UNROLL
  for (int p = 0; p < Pixels; ++p) sums[p] = Floats<N>::zero();
  const std::int64_t top = row - args.window.padding, left = column - args.window.padding;
  for (int line = 0; line < Kernel; ++line) {
    if (top + line < 0 || top + line >= args.height) continue;
    Floats<N> filter[Kernel];
    DFORMER_UNROLL
    for (int k = 0; k < Kernel; ++k) filter[k] = filter_tap<N>(args, line * Kernel + k, channel);
    const T* const x =
        args.x + ((image * args.height + top + line) * args.width + left) * args.channels + channel;
    DFORMER_UNROLL
    for (int i = 0; i < Pixels + Kernel - 1; ++i) {
      const bool inside = left + i >= 0 && left + i < args.width;
      const Floats<N> value = inside ? load_floats<N>(x + i * args.channels) : Floats<N>::zero();
      DFORMER_UNROLL
      for (int k = 0; k < Kernel; ++k) {
        if (i - k >= 0 && i - k < Pixels) multiply_add(value, filter[k], sums[i - k]);
      }
    }
  }
  const std::int64_t first =
      ((image * args.y_height + row) * args.y_width + column) * args.channels + channel;
  DFORMER_UNROLL
  for (int p = 0; p < Pixels; ++p) {
    if (column + p >= args.y_width) break;
    const std::int64_t at = first + p * args.channels;
    apply_epilogue(args.epilogue, channel, at, sums[p]);
    store_floats(args.y + at, sums[p]);
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
        multiply_add(load_floats<N>(x + column * args.channels),
                     filter_tap<N>(args, line * window.kernel + k, channel), sums);
      }
    }
    const std::int64_t at = pixel * args.channels + channel;
    apply_epilogue(args.epilogue, channel, at, sums);
    store_floats(args.y + at, sums);
  }
}

template <int Kernel, int Pixels, class T>
void launch_depthwise_strips(const DepthwiseArgs<T>& args, Stream stream) {
  DepthwiseStripArgs<T> tiles{};
  tiles.convolution = args;
  tiles.block = block_of_packs(args.channels / widest_pack<T>, 128, tiles.strips * args.y_height);
  tiles.rows = tiles.block.positions / tiles.strips;
  tiles.block.positions = tiles.rows * tiles.strips;
  tiles.row_tiles = static_cast<int>(blocks_of(args.y_height, tiles.rows));
  tiles.column_tiles = static_cast<int>(blocks_of(args.y_width, tiles.strips * Pixels));
  launch("depthwise_conv2d", depthwise_strips<T, Kernel, Pixels>,
         {args.images * tiles.row_tiles * tiles.column_tiles * tiles.block.groups, tiles.block.threads()},
         stream, tiles);
}

}  // namespace device

template <class T>
void depthwise_conv2d(const DepthwiseArgs<T>& args, Stream stream) {
  constexpr int width = device::widest_pack<T>;
  const bool wide = args.channels % width == 0;
  const Window& window = args.window;
  const int kernel = wide && window.stride == 1 && window.dilation == 1 ? window.kernel : 0;
  if (kernel == 3) return device::launch_depthwise_strips<3, 4>(args, stream);
  if (kernel == 5) return device::launch_depthwise_strips<5, 4>(args, stream);
  constexpr int pixels = width == 4 ? 8 : 6;  // as many as the registers of three blocks hold
  if (kernel == 7) return device::launch_depthwise_strips<7, pixels>(args, stream);
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
