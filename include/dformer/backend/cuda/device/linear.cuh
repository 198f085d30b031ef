#pragma once

// Linear layers in half and bfloat16 from their inputs to their epilogue. cuBLASLt multiplies faster where a
// sum is long; but the networks' sums are short, 48 to 576, so that reading and writing bounds them, and here
// nothing is read or written but the inputs, once for each tile of columns, and the result: no pass that puts
// several inputs side by side, none that applies an epilogue. At batch 1 it is the launches of those passes
// that count.

#include <algorithm>
#include <cstddef>

#include <dformer/backend/cuda/device/async_copy.cuh>
#include <dformer/backend/cuda/device/epilogue_element.cuh>
#include <dformer/backend/cuda/device/launch.cuh>
#include <dformer/backend/cuda/device/warp_matrix.cuh>
#include <dformer/backend/cuda/kernels/linear.hpp>

namespace dformer::cuda {
namespace device {

/// The tiles of a product: a block of four warps, two by two, makes Rows by Columns of the result, and goes
/// along the depth 32 elements at a time, while the next tiles of the factors are on their way.
template <int Rows, int Columns>
struct LinearTile {
  static constexpr int rows = Rows;
  static constexpr int columns = Columns;
  static constexpr int depth = 32;
  static constexpr int stages = 4;
  static constexpr int threads = 128;
  static constexpr int chunks = depth / 8;  ///< of 16 bytes, in a row of a factor's tile
  static constexpr int warp_rows = Rows / 2;
  static constexpr int warp_columns = Columns / 2;
  static constexpr int stage = (Rows + Columns) * depth;  ///< elements
  static constexpr int sums_step = Columns + 8;  ///< floats from row to row of the sums in shared memory
  static constexpr std::size_t shared_bytes =
      std::max(std::size_t{2} * stages * stage, sizeof(float) * Rows * sums_step);

  /// Where a chunk of a row lies: so that 8 neighbouring rows of one chunk are in different banks.
  static __device__ __forceinline__ int offset(int row, int chunk) {
    return (row * chunks + (chunk ^ (row >> 1 & 3))) * 8;
  }
};

/// Starts copying the tiles of both factors from depth `first` on.
template <class Tile, class T>
__device__ __forceinline__ void load_linear_stage(const LinearArgs<T>& args, std::int64_t first_row,
                                                  int first_column, int first, T* stage) {
  const int chunk = static_cast<int>(threadIdx.x) % Tile::chunks,
            line = static_cast<int>(threadIdx.x) / Tile::chunks;
  constexpr int lines = Tile::threads / Tile::chunks;
  const int d = first + chunk * 8;
  // Which of the inputs that is.
  const T* input = args.inputs[0].data;
  int channels = args.inputs[0].channels, channel = d;
  DFORMER_UNROLL
  for (int i = 1; i < LinearArgs<T>::most_inputs; ++i) {
    if (i < args.input_count && channel >= channels) {
      channel -= channels;
      input = args.inputs[i].data;
      channels = args.inputs[i].channels;
    }
  }
  DFORMER_UNROLL
  for (int i = 0; i < Tile::rows; i += lines) {
    const std::int64_t row = first_row + line + i;
    copy_async<16>(stage + Tile::offset(line + i, chunk), input + row * channels + channel,
                   row < args.rows && d < args.depth);
  }
  T* const weights = stage + Tile::rows * Tile::depth;
  DFORMER_UNROLL
  for (int i = 0; i < Tile::columns; i += lines) {
    const int column = first_column + line + i;
    copy_async<16>(weights + Tile::offset(line + i, chunk),
                   args.weight + std::int64_t{column} * args.depth + d,
                   column < args.columns && d < args.depth);
  }
}

template <class Tile>
using LinearSums = float[Tile::warp_rows / 16][Tile::warp_columns / 8][4];

/// sums += the products of a warp's part of a stage.
template <class Tile, class T>
__device__ __forceinline__ void multiply_linear_stage(const T* stage, LinearSums<Tile>& sums) {
  const int lane = static_cast<int>(threadIdx.x) % warp_size,
            warp = static_cast<int>(threadIdx.x) / warp_size;
  const T* const weights = stage + Tile::rows * Tile::depth;
  const int row = warp / 2 * Tile::warp_rows + lane % 16;
  const int column = warp % 2 * Tile::warp_columns + lane / 16 * 8 + lane % 8;
  DFORMER_UNROLL
  for (int k = 0; k < Tile::chunks; k += 2) {
    std::uint32_t left[Tile::warp_rows / 16][4], right[Tile::warp_columns / 16][4];
    DFORMER_UNROLL
    for (int i = 0; i < Tile::warp_rows / 16; ++i) {
      load_matrices<false>(stage + Tile::offset(row + 16 * i, k + lane / 16), left[i]);
    }
    DFORMER_UNROLL
    for (int j = 0; j < Tile::warp_columns / 16; ++j) {
      load_matrices<false>(weights + Tile::offset(column + 16 * j, k + lane / 8 % 2), right[j]);
    }
    DFORMER_UNROLL
    for (int i = 0; i < Tile::warp_rows / 16; ++i) {
      DFORMER_UNROLL
      for (int j = 0; j < Tile::warp_columns / 16; ++j) {
        multiply_add_16_bit<T>(left[i], {right[j][0], right[j][1]}, sums[i][2 * j]);
        multiply_add_16_bit<T>(left[i], {right[j][2], right[j][3]}, sums[i][2 * j + 1]);
      }
    }
  }
}

/// Lays a warp's sums down in the block's tile of sums.
template <class Tile>
__device__ __forceinline__ void lay_down_linear_sums(const LinearSums<Tile>& sums, float* tile) {
  const int lane = static_cast<int>(threadIdx.x) % warp_size,
            warp = static_cast<int>(threadIdx.x) / warp_size;
  const int row = warp / 2 * Tile::warp_rows + lane / 4,
            column = warp % 2 * Tile::warp_columns + lane % 4 * 2;
  DFORMER_UNROLL
  for (int i = 0; i < Tile::warp_rows / 16; ++i) {
    DFORMER_UNROLL
    for (int j = 0; j < Tile::warp_columns / 8; ++j) {
      float* const to = tile + (row + 16 * i) * Tile::sums_step + column + 8 * j;
      *reinterpret_cast<Pack<float, 2>*>(to) = {sums[i][j][0], sums[i][j][1]};
      *reinterpret_cast<Pack<float, 2>*>(to + 8 * Tile::sums_step) = {sums[i][j][2], sums[i][j][3]};
    }
  }
}

template <class T, class Tile>
__global__ void __launch_bounds__(128) linear_tiles(LinearArgs<T> args) {
  T* const shared = dynamic_shared<T>();
  const int column_tiles = (args.columns + Tile::columns - 1) / Tile::columns;
  const std::int64_t first_row = std::int64_t{blockIdx.x / column_tiles} * Tile::rows;
  const int first_column = static_cast<int>(blockIdx.x % column_tiles) * Tile::columns;
  const int steps = (args.depth + Tile::depth - 1) / Tile::depth;

  const auto load = [&](int step) {
    if (step < steps) {
      load_linear_stage<Tile>(args, first_row, first_column, step * Tile::depth,
                              shared + step % Tile::stages * Tile::stage);
    }
    commit_copies();
  };
  for (int step = 0; step < Tile::stages - 1; ++step) load(step);
  LinearSums<Tile> sums = {};
  for (int step = 0; step < steps; ++step) {
    wait_for_copies<Tile::stages - 2>();
    __syncthreads();  // all have what they copied, and are done with the stage that is copied to next
    load(step + Tile::stages - 1);
    multiply_linear_stage<Tile>(shared + step % Tile::stages * Tile::stage, sums);
  }
  wait_for_copies<0>();
  __syncthreads();

  // Through shared memory, so that neighbouring threads take neighbouring channels, 16 bytes each.
  float* const tile = dynamic_shared<float>();
  lay_down_linear_sums<Tile>(sums, tile);
  __syncthreads();
  constexpr int packs = Tile::columns / 8;
  for (int i = static_cast<int>(threadIdx.x); i < Tile::rows * packs; i += Tile::threads) {
    const std::int64_t row = first_row + i / packs;
    const int column = first_column + i % packs * 8;
    if (row >= args.rows || column >= args.columns) continue;
    Floats<8> values = load_floats<8>(tile + i / packs * Tile::sums_step + i % packs * 8);
    const std::int64_t at = row * args.columns + column;
    apply_epilogue(args.epilogue, column, at, values);
    store_floats(args.y + at, values);
  }
}

template <class Tile, class T>
std::int64_t linear_blocks(const LinearArgs<T>& args) {
  return blocks_of(args.rows, Tile::rows) * blocks_of(args.columns, Tile::columns);
}
template <class Tile, class T>
void launch_linear(const LinearArgs<T>& args, Stream stream) {
  launch("linear", linear_tiles<T, Tile>, {linear_blocks<Tile>(args), Tile::threads, Tile::shared_bytes},
         stream, args);
}

}  // namespace device

/// The largest tiles of which there are enough for a large GPU: a large one reads less, many small ones are
/// done sooner.
template <class T>
void linear(const LinearArgs<T>& args, Stream stream) {
  using Large = device::LinearTile<128, 128>;
  using Tall = device::LinearTile<128, 64>;
  constexpr std::int64_t enough = 2 * 132;
  if (args.columns > 64 && device::linear_blocks<Large>(args) >= enough)
    return device::launch_linear<Large>(args, stream);
  if (device::linear_blocks<Tall>(args) >= enough) return device::launch_linear<Tall>(args, stream);
  device::launch_linear<device::LinearTile<64, 64>>(args, stream);
}

template void linear(const LinearArgs<half>&, Stream);
template void linear(const LinearArgs<bfloat16>&, Stream);

}  // namespace dformer::cuda
