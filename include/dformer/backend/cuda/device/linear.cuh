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

/// The tiles of a product: four warps, two by two, make Rows by Columns of the result. They go along the
/// depth 32 elements at a time, or two groups of four warps do so side by side, each with every second 32,
/// and their sums are added at the end: what a short product waits for is one step after another. Meanwhile
/// the next tiles of the factors are on their way.
template <int Rows, int Columns, int Groups>
struct LinearTile {
  static constexpr int rows = Rows;
  static constexpr int columns = Columns;
  static constexpr int groups = Groups;
  static constexpr int threads = 128 * Groups;
  static constexpr int depth = 32 * Groups;
  static constexpr int stages = Groups == 1 ? 4 : 3;
  static constexpr int chunks = depth / 8;  ///< of 16 bytes, in a row of a factor's tile
  static constexpr int warp_rows = Rows / 2;
  static constexpr int warp_columns = Columns / 2;
  static constexpr int stage = (Rows + Columns) * depth;  ///< elements
  static constexpr int sums_step = Columns + 8;  ///< floats from row to row of the sums in shared memory
  static constexpr std::size_t shared_bytes =
      std::max(sizeof(half) * stages * stage, sizeof(float) * Groups * Rows * sums_step);

  /// Where a chunk of a row lies: so that 8 neighbouring rows of one chunk are in different banks.
  static __device__ __forceinline__ int offset(int row, int chunk) {
    return (row * chunks + (chunk ^ (Groups == 1 ? row >> 1 & 3 : row & 7))) * 8;
  }
};

/// Where a thread's warp stands in its group of four.
template <class Tile>
struct LinearWarp {
  int lane = static_cast<int>(threadIdx.x) % warp_size;
  int group = static_cast<int>(threadIdx.x) / 128;
  int row = static_cast<int>(threadIdx.x) / 64 % 2 * Tile::warp_rows;
  int column = static_cast<int>(threadIdx.x) / 32 % 2 * Tile::warp_columns;
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
  const LinearWarp<Tile> warp;
  const T* const weights = stage + Tile::rows * Tile::depth;
  const int row = warp.row + warp.lane % 16;
  const int column = warp.column + warp.lane / 16 * 8 + warp.lane % 8;
  DFORMER_UNROLL
  for (int step = 0; step < 4; step += 2) {
    const int k = 4 * warp.group + step;
    std::uint32_t left[Tile::warp_rows / 16][4], right[Tile::warp_columns / 16][4];
    DFORMER_UNROLL
    for (int i = 0; i < Tile::warp_rows / 16; ++i) {
      load_matrices<false>(stage + Tile::offset(row + 16 * i, k + warp.lane / 16), left[i]);
    }
    DFORMER_UNROLL
    for (int j = 0; j < Tile::warp_columns / 16; ++j) {
      load_matrices<false>(weights + Tile::offset(column + 16 * j, k + warp.lane / 8 % 2), right[j]);
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

/// Lays a warp's sums down in its group's tile of sums.
template <class Tile>
__device__ __forceinline__ void lay_down_linear_sums(const LinearSums<Tile>& sums, float* tiles) {
  const LinearWarp<Tile> warp;
  float* const tile = tiles + (warp.group * Tile::rows + warp.row + warp.lane / 4) * Tile::sums_step +
                      warp.column + warp.lane % 4 * 2;
  DFORMER_UNROLL
  for (int i = 0; i < Tile::warp_rows / 16; ++i) {
    DFORMER_UNROLL
    for (int j = 0; j < Tile::warp_columns / 8; ++j) {
      float* const to = tile + 16 * i * Tile::sums_step + 8 * j;
      *reinterpret_cast<Pack<float, 2>*>(to) = {sums[i][j][0], sums[i][j][1]};
      *reinterpret_cast<Pack<float, 2>*>(to + 8 * Tile::sums_step) = {sums[i][j][2], sums[i][j][3]};
    }
  }
}

template <class T, class Tile>
__global__ void __launch_bounds__(Tile::threads) linear_tiles(LinearArgs<T> args) {
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
  constexpr int packs = Tile::columns / 8, lines = Tile::threads / packs;
  constexpr int own_rows = Tile::rows / lines;
  constexpr int together = own_rows < 4 ? own_rows : 4;  // whose operands are read side by side
  const int line = static_cast<int>(threadIdx.x) / packs, pack = static_cast<int>(threadIdx.x) % packs * 8;
  const int column = first_column + pack;
  if (column >= args.columns) return;
  for (int i = line; i < Tile::rows; i += together * lines) {
    const std::int64_t row = first_row + i, at = row * args.columns + column;
    const std::int64_t step = std::int64_t{lines} * args.columns;
    const int there = static_cast<int>(min(std::int64_t{together}, (args.rows - row + lines - 1) / lines));
    if (row >= args.rows) return;
    Floats<8> values[together];
    DFORMER_UNROLL
    for (int p = 0; p < together; ++p) {
      const float* const sum = tile + (i + p * lines) * Tile::sums_step + pack;
      values[p] = load_floats<8>(sum);
      DFORMER_UNROLL
      for (int g = 1; g < Tile::groups; ++g)
        add_to(load_floats<8>(sum + g * Tile::rows * Tile::sums_step), values[p]);
    }
    apply_epilogue(args.epilogue, column, at, step, there, values);
    DFORMER_UNROLL
    for (int p = 0; p < together; ++p) {
      if (p < there) store_floats(args.y + at + p * step, values[p]);
    }
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

/// Tall tiles where they fill a large GPU several times over, small ones where even those of 64 rows leave
/// some of it without work. (Tiles of 128 by 128 leave
/// registers for half as many warps: an H200 moved 0.95 TB/s with them where it moved 2.4 with these.)
template <class T>
void linear(const LinearArgs<T>& args, Stream stream) {
  using Tall = device::LinearTile<128, 64, 1>;
  using Square = device::LinearTile<64, 64, 2>;
  constexpr std::int64_t multiprocessors = 132;
  if (device::linear_blocks<Tall>(args) >= 2 * multiprocessors)
    return device::launch_linear<Tall>(args, stream);
  if (device::linear_blocks<Square>(args) >= multiprocessors)
    return device::launch_linear<Square>(args, stream);
  device::launch_linear<device::LinearTile<32, 64, 2>>(args, stream);
}

template void linear(const LinearArgs<half>&, Stream);
template void linear(const LinearArgs<bfloat16>&, Stream);

}  // namespace dformer::cuda
