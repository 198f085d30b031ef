#pragma once

// Depthwise convolutions in half and bfloat16 as products of matrices: of 16 pixels by 8 channels of one tap
// and 8 of another, and those taps' filters on two diagonals [16, 8]. Seven of eight products are with zero,
// and an H200 is still faster so, 7x7 by nearly half, than with one multiply-add after the other, each with
// its operand made float.

#include <algorithm>
#include <cstddef>

#include <dformer/backend/cuda/device/async_copy.cuh>
#include <dformer/backend/cuda/device/epilogue_element.cuh>
#include <dformer/backend/cuda/device/floats.cuh>
#include <dformer/backend/cuda/device/launch.cuh>
#include <dformer/backend/cuda/device/warp_matrix.cuh>
#include <dformer/backend/cuda/kernels/depthwise_on_tensor_cores.hpp>

namespace dformer::cuda {
namespace device {

/// A block makes Rows by 16 pixels, each of its warps for one pack of 8 channels. The pixels of x that it
/// needs lie in shared memory, padded to an odd number of packs, so that neighbouring pixels of one pack are
/// in different banks.
template <class T, int Kernel, int Rows>
struct DepthwiseCoreTile {
  static constexpr int rows = Rows;
  static constexpr int columns = 16;
  static constexpr int x_rows = Rows + Kernel - 1;
  static constexpr int x_columns = columns + Kernel - 1;
  static constexpr int pairs = (Kernel + 1) / 2;  ///< of a column's taps; the last has one tap only
  static constexpr int most_packs = 4;
  static_assert(Rows % 2 == 0 && Kernel % 2 == 1, "DepthwiseCoreTile: rows of x are taken in pairs");

  /// Packs from pixel to pixel, of x and then of the sums.
  static constexpr __device__ __host__ int pitch(int packs) { return packs | 1; }
  static std::size_t shared_bytes(int packs) {
    return std::max(sizeof(T) * x_rows * x_columns, sizeof(float) * rows * columns) * 8 *
           static_cast<std::size_t>(pitch(packs));
  }
};

template <class T>
struct DepthwiseCoreArgs {
  DepthwiseArgs<T> convolution;
  int packs;   ///< of a block, and so its warps
  int groups;  ///< of packs
  int row_tiles;
  int column_tiles;
  bool adds_input;  ///< whether x itself is added to each sum
};

/// The diagonals of a column of taps, as a lane holds them: for each pair of taps two 16-bit values, the
/// lower for the first tap, which are 0 in lanes beside the diagonal.
template <int Pairs>
struct DepthwiseDiagonals {
  std::uint32_t taps[Pairs];
};

/// The filters of the warp's channels, from `channel` on.
template <class Tile, class T, int Kernel>
__device__ __forceinline__ void load_diagonals(const DepthwiseArgs<T>& args, int channel,
                                               DepthwiseDiagonals<Tile::pairs> (&filters)[Kernel]) {
  const int lane = static_cast<int>(threadIdx.x) % warp_size, group = lane / 4;
  const bool on_diagonal = lane % 4 == group / 2;
  const T* const own = args.weight + channel + group;
  const int channels = static_cast<int>(args.channels);
  const auto tap = [&](int row, int column) -> std::uint32_t {
    if (!on_diagonal || row >= Kernel) return 0;
    const int number = row * Kernel + column;
    return own[(args.turned ? Kernel * Kernel - 1 - number : number) * channels].bits;
  };
  DFORMER_UNROLL
  for (int column = 0; column < Kernel; ++column) {
    DFORMER_UNROLL
    for (int pair = 0; pair < Tile::pairs; ++pair) {
      filters[column].taps[pair] = tap(2 * pair + 1, column) << 16 | tap(2 * pair, column);
    }
  }
}

template <class T, int Kernel, int Rows>
__global__ void __launch_bounds__(128, 4) depthwise_on_tensor_cores(DepthwiseCoreArgs<T> tiles) {
  using Tile = DepthwiseCoreTile<T, Kernel, Rows>;
  const DepthwiseArgs<T>& args = tiles.convolution;
  int block = static_cast<int>(blockIdx.x);
  const int group = block % tiles.groups;
  block /= tiles.groups;
  const int column_tile = block % tiles.column_tiles;
  block /= tiles.column_tiles;
  const int row_tile = block % tiles.row_tiles, image = block / tiles.row_tiles;
  const int height = static_cast<int>(args.height), width = static_cast<int>(args.width);
  const int channels = static_cast<int>(args.channels);
  const int first_row = row_tile * Tile::rows, first_column = column_tile * Tile::columns;
  const int first_channel = group * tiles.packs * 8;
  const int pitch = 8 * Tile::pitch(tiles.packs);  // elements
  // Of the threads, as they copy and as they store: neighbours take neighbouring packs of a pixel.
  const int pack = static_cast<int>(threadIdx.x) % tiles.packs;
  const int pixel = static_cast<int>(threadIdx.x) / tiles.packs;
  const int channel = first_channel + pack * 8;

  T* const shared = dynamic_shared<T>();
  const int top = first_row - args.window.padding, left = first_column - args.window.padding;
  const T* const x = args.x + std::int64_t{image} * height * width * channels + channel;
  for (int i = pixel; i < Tile::x_rows * Tile::x_columns; i += warp_size) {
    const int row = top + i / Tile::x_columns, column = left + i % Tile::x_columns;
    const bool inside = row >= 0 && row < height && column >= 0 && column < width && channel < channels;
    copy_async<16>(shared + i * pitch + pack * 8, inside ? x + (row * width + column) * channels : args.x,
                   inside);
  }
  commit_copies();

  const int warp = static_cast<int>(threadIdx.x) / warp_size,
            lane = static_cast<int>(threadIdx.x) % warp_size;
  const int warp_channel = first_channel + warp * 8;
  const bool on_diagonal = lane % 4 == lane / 8;
  const int half_of_register = lane / 4 % 2 * 16;
  DepthwiseDiagonals<Tile::pairs> filters[Kernel] = {};
  if (warp_channel < channels) load_diagonals<Tile>(args, warp_channel, filters);
  const std::uint32_t identity =
      tiles.adds_input && on_diagonal ? std::uint32_t{from_float<T>(1.0f).bits} << half_of_register : 0;
  wait_for_copies<0>();
  __syncthreads();

  float sums[Rows][4] = {};
  // Of two rows of x, the matrices of 8 pixels one behind the other.
  const T* const matrix_row = shared + (lane / 16 * Tile::x_columns + lane % 16) * pitch + warp * 8;
  DFORMER_UNROLL
  for (int column = 0; column < Kernel; ++column) {
    std::uint32_t rows[Tile::x_rows / 2][4];
    DFORMER_UNROLL
    for (int i = 0; i < Tile::x_rows / 2; ++i) {
      load_matrices<false>(matrix_row + (2 * i * Tile::x_columns + column) * pitch, rows[i]);
    }
    DFORMER_UNROLL
    for (int pair = 0; pair < Tile::pairs; ++pair) {
      const std::uint32_t taps = filters[column].taps[pair];
      const bool is_last = pair + 1 == Tile::pairs;  // beside it x itself
      const std::uint32_t diagonals[2] = {
          (taps & 0xffffu) << half_of_register,
          is_last ? (column == Kernel / 2 ? identity : 0) : taps >> 16 << half_of_register};
      DFORMER_UNROLL
      for (int row = 0; row < Rows; ++row) {
        const int first = row + 2 * pair, second = is_last ? row + Kernel / 2 : first + 1;
        multiply_add_16_bit<T>({rows[first / 2][first % 2 * 2], rows[first / 2][first % 2 * 2 + 1],
                                rows[second / 2][second % 2 * 2], rows[second / 2][second % 2 * 2 + 1]},
                               diagonals, sums[row]);
      }
    }
  }
  __syncthreads();  // all are done with x

  // Through shared memory, so that neighbouring threads take neighbouring channels, 16 bytes each.
  float* const tile = dynamic_shared<float>();
  DFORMER_UNROLL
  for (int row = 0; row < Rows; ++row) {
    float* const to = tile + (row * Tile::columns + lane / 4) * pitch + warp * 8 + lane % 4 * 2;
    *reinterpret_cast<Pack<float, 2>*>(to) = {sums[row][0], sums[row][1]};
    *reinterpret_cast<Pack<float, 2>*>(to + 8 * pitch) = {sums[row][2], sums[row][3]};
  }
  __syncthreads();
  const int y_height = static_cast<int>(args.y_height), y_width = static_cast<int>(args.y_width);
  const int row = first_row + pixel / Tile::columns, y_column = first_column + pixel % Tile::columns;
  if (channel >= channels || row >= y_height || y_column >= y_width) return;
  constexpr int own = Rows * Tile::columns / warp_size, row_step = warp_size / Tile::columns;
  Floats<8> values[own];
  DFORMER_UNROLL
  for (int i = 0; i < own; ++i) {
    values[i] = load_floats<8>(tile + (pixel + i * warp_size) * pitch + pack * 8);
  }
  const std::int64_t at = ((std::int64_t{image} * y_height + row) * y_width + y_column) * channels + channel;
  const std::int64_t step = std::int64_t{row_step} * y_width * channels;
  const int there = min(own, (y_height - row + row_step - 1) / row_step);
  apply_epilogue(args.epilogue, channel, at, step, there, values);
  DFORMER_UNROLL
  for (int i = 0; i < own; ++i) {
    if (i < there) store_floats(args.y + at + i * step, values[i]);
  }
}

template <class T, int Kernel, int Rows>
DepthwiseCoreArgs<T> depthwise_core_args(const DepthwiseArgs<T>& args) {
  using Tile = DepthwiseCoreTile<T, Kernel, Rows>;
  DepthwiseCoreArgs<T> tiles{};
  tiles.convolution = args;
  tiles.adds_input = adds_input(args);
  if (tiles.adds_input) tiles.convolution.epilogue.residual = nullptr;
  const std::int64_t packs = args.channels / 8;
  tiles.groups = static_cast<int>(blocks_of(packs, Tile::most_packs));
  tiles.packs = tiles.groups == 0 ? 1 : static_cast<int>(blocks_of(packs, tiles.groups));
  tiles.row_tiles = static_cast<int>(blocks_of(args.y_height, Tile::rows));
  tiles.column_tiles = static_cast<int>(blocks_of(args.y_width, Tile::columns));
  return tiles;
}

template <class T>
std::int64_t depthwise_core_blocks(const DepthwiseCoreArgs<T>& tiles) {
  return tiles.convolution.images * tiles.row_tiles * tiles.column_tiles * tiles.groups;
}

/// Tiles of 8 rows where they fill a large GPU, and else of 4.
template <int Kernel, class T>
void launch_depthwise_on_tensor_cores(const DepthwiseArgs<T>& args, Stream stream) {
  constexpr std::int64_t blocks_wanted = 4 * 132;
  const auto start = [&](auto kernel, const DepthwiseCoreArgs<T>& tiles, std::size_t shared_bytes) {
    launch("depthwise_conv2d", kernel, {depthwise_core_blocks(tiles), tiles.packs * warp_size, shared_bytes},
           stream, tiles);
  };
  const auto tall = depthwise_core_args<T, Kernel, 8>(args);
  if (depthwise_core_blocks(tall) >= blocks_wanted) {
    return start(depthwise_on_tensor_cores<T, Kernel, 8>, tall,
                 DepthwiseCoreTile<T, Kernel, 8>::shared_bytes(tall.packs));
  }
  const auto low = depthwise_core_args<T, Kernel, 4>(args);
  start(depthwise_on_tensor_cores<T, Kernel, 4>, low,
        DepthwiseCoreTile<T, Kernel, 4>::shared_bytes(low.packs));
}

}  // namespace device

template <class T>
void depthwise_conv2d_on_tensor_cores(const DepthwiseArgs<T>& args, Stream stream) {
  if (args.window.kernel == 5) return device::launch_depthwise_on_tensor_cores<5>(args, stream);
  device::launch_depthwise_on_tensor_cores<7>(args, stream);
}

template void depthwise_conv2d_on_tensor_cores(const DepthwiseArgs<half>&, Stream);
template void depthwise_conv2d_on_tensor_cores(const DepthwiseArgs<bfloat16>&, Stream);

}  // namespace dformer::cuda
