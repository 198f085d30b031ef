#pragma once

// Attention as products of tiles. A block owns some rows, queries or keys, half as many as it has threads,
// and walks over columns, keys or queries, 32 at a time. 8 neighbouring threads share 4 rows: of the scores
// each has 4 rows by 4 columns in registers, of what is summed 4 rows by 2 * Pairs channels. Tiles of tokens
// lie in shared memory, 16 * Pairs channels wide; heads of more channels are taken up in several chunks.
//
// All of it is bound by float32 arithmetic, not by memory: a tile of columns is read once for each tile of
// rows, mostly from the second-level cache, and gives 2 * 32 or 2 * 64 multiplications for each element.

#include <cstddef>
#include <type_traits>

#include <dformer/backend/cuda/device/tile.cuh>
#include <dformer/backend/cuda/kernels/attention.hpp>

namespace dformer::cuda::device {

constexpr int tile_columns = 32;
constexpr int row_lanes = 8;                              // threads that share rows
constexpr int thread_rows = 4;                            // rows of a thread
constexpr int thread_columns = tile_columns / row_lanes;  // columns of a thread
constexpr int weight_step = tile_columns + 8;             // floats from row to row of the weights' tile
__host__ __device__ constexpr int tile_rows_of(int threads) {
  return threads / row_lanes * thread_rows;
}

/// Which rows, columns and channels are this thread's.
struct TileThread {
  int lane = static_cast<int>(threadIdx.x) % row_lanes;
  int group = static_cast<int>(threadIdx.x) / row_lanes;
  int groups = static_cast<int>(blockDim.x) / row_lanes;

  __device__ __forceinline__ int row(int i) const { return group + i * groups; }
  __device__ __forceinline__ int column(int j) const { return lane + j * row_lanes; }
  /// The first of two neighbouring channels.
  __device__ __forceinline__ int channel(int pair) const { return 2 * lane + pair * 2 * row_lanes; }
};

__device__ __forceinline__ float sum_of_row_lanes(float value) {
  for (int step = row_lanes / 2; step > 0; step /= 2) value += __shfl_xor_sync(all_lanes, value, step);
  return value;
}
__device__ __forceinline__ float max_of_row_lanes(float value) {
  for (int step = row_lanes / 2; step > 0; step /= 2) {
    value = max(value, __shfl_xor_sync(all_lanes, value, step));
  }
  return value;
}

using ThreadScores = float[thread_rows][thread_columns];
template <int Pairs>
using ThreadSums = float[thread_rows][2 * Pairs];

/// scores += rows * columns^T, of two tiles of tokens.
template <int Pairs>
__device__ __forceinline__ void add_scores(const float* rows, const float* columns, ThreadScores& scores) {
  constexpr int step = tile_step(16 * Pairs);
  const TileThread thread;
  for (int d = 0; d < 16 * Pairs; d += 4) {
    Pack<float, 4> row[thread_rows];
    for (int i = 0; i < thread_rows; ++i) row[i] = quad(rows + thread.row(i) * step + d);
    for (int j = 0; j < thread_columns; ++j) {
      const Pack<float, 4> column = quad(columns + thread.column(j) * step + d);
      for (int i = 0; i < thread_rows; ++i) {
        for (int k = 0; k < 4; ++k) {
          scores[i][j] = fmaf(row[i].values[k], column.values[k], scores[i][j]);
        }
      }
    }
  }
}

/// Lays down the weights of this thread, for the threads of the same rows, which are of the same warp. Ends
/// and begins with a barrier of the warp.
__device__ __forceinline__ void share_weights(const ThreadScores& weights, float* tile) {
  const TileThread thread;
  __syncwarp();
  for (int i = 0; i < thread_rows; ++i) {
    for (int j = 0; j < thread_columns; ++j) {
      tile[thread.row(i) * weight_step + thread.column(j)] = weights[i][j];
    }
  }
  __syncwarp();
}

/// sums += weights * columns, with the weights that were shared and a tile of tokens.
template <int Pairs>
__device__ __forceinline__ void add_weighted(const float* weights, const float* columns,
                                             ThreadSums<Pairs>& sums) {
  constexpr int step = tile_step(16 * Pairs);
  const TileThread thread;
  for (int j = 0; j < tile_columns; j += 4) {
    Pack<float, 4> weight[thread_rows];
    for (int i = 0; i < thread_rows; ++i) weight[i] = quad(weights + thread.row(i) * weight_step + j);
    for (int k = 0; k < 4; ++k) {
      for (int p = 0; p < Pairs; ++p) {
        const auto pair =
            *reinterpret_cast<const Pack<float, 2>*>(columns + (j + k) * step + thread.channel(p));
        for (int i = 0; i < thread_rows; ++i) {
          sums[i][2 * p] = fmaf(weight[i].values[k], pair.values[0], sums[i][2 * p]);
          sums[i][2 * p + 1] = fmaf(weight[i].values[k], pair.values[1], sums[i][2 * p + 1]);
        }
      }
    }
  }
}

/// Stores this thread's sums, or adds them to what is there, to rows `step` elements apart; `to` is where the
/// block's first row begins, of which `valid_rows` are there.
template <int Pairs, class T>
__device__ __forceinline__ void store_sums(const ThreadSums<Pairs>& sums, float scale, T* to,
                                           std::int64_t step, std::int64_t valid_rows, int chunk,
                                           std::int64_t channels, bool add) {
  const TileThread thread;
  DFORMER_UNROLL
  for (int i = 0; i < thread_rows; ++i) {
    if (thread.row(i) >= valid_rows) continue;
    DFORMER_UNROLL
    for (int p = 0; p < Pairs; ++p) {
      const std::int64_t channel = chunk * 16 * Pairs + thread.channel(p);
      T* const at = to + thread.row(i) * step + channel;
      float first = sums[i][2 * p] * scale, second = sums[i][2 * p + 1] * scale;
      if (channels % 2 == 0 && channel < channels) {
        auto& pair = *reinterpret_cast<Pack<T, 2>*>(at);
        if (add) {
          first += to_float(pair.values[0]);
          second += to_float(pair.values[1]);
        }
        pair = {from_float<T>(first), from_float<T>(second)};
        continue;
      }
      if (channel < channels) at[0] = from_float<T>(add ? first + to_float(at[0]) : first);
      if (channel + 1 < channels) at[1] = from_float<T>(add ? second + to_float(at[1]) : second);
    }
  }
}

/// A head of a sequence of an image, by its number among all.
struct HeadOfSequence {
  std::int64_t head;
  std::int64_t sequence;
  std::int64_t image;

  /// Numbers are those of blocks or fewer, and their divisions in 32 bits.
  template <class T>
  __device__ __forceinline__ HeadOfSequence(const AttentionProblem<T>& problem, std::int64_t number) {
    const auto n = static_cast<std::uint32_t>(number), heads = static_cast<std::uint32_t>(problem.heads),
               sequences = static_cast<std::uint32_t>(problem.sequences), sequence_of_all = n / heads;
    head = n % heads;
    sequence = sequence_of_all % sequences;
    image = sequence_of_all / sequences;
  }

  /// Where its channels of the first token are.
  template <class T>
  __device__ __forceinline__ std::int64_t offset(const AttentionProblem<T>& problem,
                                                 const TokenRows& rows) const {
    return image * rows.image_step + sequence * rows.sequence_step + head * problem.head_dim;
  }
};

/// A tile of queries and the part of the keys that a block of this number takes.
struct QueryBlock {
  std::int64_t first_query;
  std::int64_t number;  // of the head among all
  std::int64_t part;
  std::int64_t first_key;
  std::int64_t last_key;

  /// `Args` are of the attention or of its gradient. As above, divisions are in 32 bits.
  template <class Args>
  __device__ __forceinline__ QueryBlock(const Args& args, int rows) {
    const auto tile_rows = static_cast<std::uint32_t>(rows), parts = static_cast<std::uint32_t>(args.parts);
    const std::uint32_t tiles =
        (static_cast<std::uint32_t>(args.problem.queries.length) + tile_rows - 1) / tile_rows;
    const std::uint32_t block = blockIdx.x, part_of_head = block / tiles;
    first_query = std::int64_t{block % tiles} * rows;
    part = part_of_head % parts;
    number = part_of_head / parts;
    first_key = part * args.keys_per_part;
    last_key = min(args.problem.keys.length, first_key + args.keys_per_part);
  }
};

/// Tokens of a head from some token on, to be loaded chunk by chunk.
template <class T, int Pairs>
struct HeadTokens {
  const T* from;
  std::int64_t step;
  std::int64_t count;
  std::int64_t channels;

  __device__ __forceinline__ void load(int chunk, int rows, float* to) const {
    constexpr int width = 16 * Pairs;
    load_tile<width>(from + chunk * width, step, count, channels - chunk * width, reads_quads(channels, step),
                     rows, to);
  }
  __device__ __forceinline__ HeadTokens after(std::int64_t tokens) const {
    return {from + tokens * step, step, count - tokens, channels};
  }
};

/// Scores without a prior: products times the scale.
template <class T>
struct PlainScores {
  struct Place {};
  float scale;

  __device__ __forceinline__ PlainScores(const AttentionProblem<T>& problem, const HeadOfSequence&)
      : scale(problem.scale) {}
  __device__ __forceinline__ Place place(std::int64_t) const { return {}; }
  __device__ __forceinline__ float operator()(float product, Place, Place) const { return product * scale; }

  /// There is nothing whose gradient could be summed.
  struct Sums {};
  __device__ __forceinline__ void add(float, Place, Place, Sums&) const {}
  __device__ __forceinline__ void store(const Sums&, bool, float*) const {}
};

/// How many pairs of channels each thread must take, of those that kernels are compiled for.
__host__ __device__ constexpr int pairs_of(std::int64_t head_dim) {
  return head_dim <= 16 ? 1 : head_dim <= 32 ? 2 : head_dim <= 48 ? 3 : 5;
}
__host__ __device__ constexpr int chunks_of(std::int64_t head_dim) {
  return static_cast<int>((head_dim + 16 * pairs_of(head_dim) - 1) / (16 * pairs_of(head_dim)));
}

/// Calls body(std::integral_constant<int, Pairs>) with the pairs that the head needs.
template <class Body>
void with_pairs(std::int64_t head_dim, const Body& body) {
  switch (pairs_of(head_dim)) {
    case 1:
      return body(std::integral_constant<int, 1>());
    case 2:
      return body(std::integral_constant<int, 2>());
    case 3:
      return body(std::integral_constant<int, 3>());
    default:
      return body(std::integral_constant<int, 5>());
  }
}

/// Threads of a block that owns rows: 64, for 32 rows, where 128 would leave more of a sequence's last tile
/// empty, or would not leave room for `tiles_of_rows` tiles of rows and two of columns in 64 KiB.
constexpr int attention_threads(std::int64_t rows, std::int64_t head_dim, int tiles_of_rows) {
  const int step = tile_step(16 * pairs_of(head_dim));
  const bool fits = (64 * tiles_of_rows + 2 * tile_columns) * step + 64 * weight_step <= 16 * 1024;  // floats
  const std::int64_t wasted = 64 - (rows + 63) % 64 - 1;
  return fits && wasted < 32 ? 128 : 64;
}
constexpr std::size_t attention_shared_bytes(int threads, std::int64_t head_dim, int tiles_of_rows,
                                             int tiles_of_columns) {
  const int rows = tile_rows_of(threads), step = tile_step(16 * pairs_of(head_dim));
  return sizeof(float) *
         static_cast<std::size_t>((rows * tiles_of_rows + tile_columns * tiles_of_columns) * step +
                                  rows * weight_step);
}

}  // namespace dformer::cuda::device
