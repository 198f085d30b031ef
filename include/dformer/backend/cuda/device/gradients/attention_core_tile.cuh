#pragma once

// What the kernels of attention's gradients on tensor cores share. As in attend_on_tensor_cores.cuh a warp
// owns 16 rows, queries or keys, whose channels stay in its registers, and walks over columns, keys or
// queries, 32 at a time. The columns lie in shared memory, as many as 40 KiB hold: of DFormerv2 whole lines,
// and the whole grid of its last stage, so that a block waits once.

#include <dformer/backend/cuda/device/async_copy.cuh>
#include <dformer/backend/cuda/device/attend_on_tensor_cores.cuh>
#include <dformer/backend/cuda/device/gradients/attention_tile.cuh>

namespace dformer::cuda::device {

template <class T>
struct CoreGradientArgs {
  AttentionGradientArgs<T> gradient;
  int row_tiles;  // of a sequence: blocks, but for the parts of the keys
  int columns;    // that a tile has room for, a multiple of core_keys
  bool finds_statistics;
};

/// Threads that a block has at most (core_warps), and how many such blocks a multiprocessor shall hold.
constexpr int core_threads = 8 * warp_size;
template <int Steps>
constexpr int core_blocks_at_once = Steps == 1   ? 3
                                    : Steps == 2 ? 2
                                                 : 1;

/// What is known of a query's softmax: its weights are powers of 2, divided by their sum in the exponent.
struct CoreStatistics {
  float exponent, mean;

  CoreStatistics() = default;
  __device__ __forceinline__ explicit CoreStatistics(const QueryStatistics& from)
      : exponent(fmaf(from.largest, log2_of_e, -log2f(from.scale))), mean(from.mean) {}
  __device__ __forceinline__ float weight(float score) const {
    return fast_exp2(fmaf(score, log2_of_e, -exponent));
  }
};

/// What is known of two neighbouring columns, both of which a thread has; read 8 bytes at a time.
template <class V>
struct alignas(8) Neighbours {
  V of[2];
};

/// Of each column: what scores are made of and what responses are made of (attention_tile.cuh), where it is,
/// and, if it is a query, what is known of its softmax.
template <class T, int Steps, class Place>
struct CoreTile {
  static constexpr bool has_places = !std::is_empty_v<Place>;
  T* scores;
  T* responses;
  Neighbours<CoreStatistics>* statistics;
  Neighbours<Place>* places;

  static constexpr std::size_t bytes_of_column =
      2 * core_step<Steps> * sizeof(T) + sizeof(CoreStatistics) + (has_places ? sizeof(Place) : 0);
  /// How many columns of so many a tile takes.
  static constexpr int columns_of(std::int64_t length) {
    constexpr int most = static_cast<int>(40 * 1024 / bytes_of_column) / core_keys * core_keys;
    return length < most ? static_cast<int>(blocks_of(length, core_keys)) * core_keys : most;
  }

  __device__ __forceinline__ explicit CoreTile(int columns)
      : scores(dynamic_shared<T>()),
        responses(scores + columns * core_step<Steps>),
        statistics(reinterpret_cast<Neighbours<CoreStatistics>*>(responses + columns * core_step<Steps>)),
        places(reinterpret_cast<Neighbours<Place>*>(statistics + columns / 2)) {}

  /// The block starts to bring the tokens of a head that begin here, to whole groups of columns; what is
  /// beyond the tokens and channels that there are becomes 0.
  __device__ __forceinline__ void bring(const T* of_scores, const T* of_responses, std::int64_t step,
                                        int tokens, int channels) const {
    if (channels % 8 == 0 && step % 8 == 0) {
      bring_packs<8>(of_scores, of_responses, step, tokens, channels);
    } else {
      bring_packs<4>(of_scores, of_responses, step, tokens, channels);
    }
    commit_copies();
  }

 private:
  template <int N>
  __device__ __forceinline__ void bring_packs(const T* of_scores, const T* of_responses, std::int64_t step,
                                              int tokens, int channels) const {
    constexpr int packs = 16 * Steps / N, bytes = N * static_cast<int>(sizeof(T));
    const int count = (tokens + core_keys - 1) / core_keys * core_keys * packs;
    for (int i = static_cast<int>(threadIdx.x); i < count; i += static_cast<int>(blockDim.x)) {
      const int column = i / packs, channel = i % packs * N, to = column * core_step<Steps> + channel;
      const bool valid = column < tokens && channel < channels;
      const std::int64_t from = valid ? column * step + channel : 0;
      copy_async<bytes>(scores + to, of_scores + from, valid);
      copy_async<bytes>(responses + to, of_responses + from, valid);
    }
  }
};

/// Waits for what the block has started to bring.
__device__ __forceinline__ void wait_for_tile() {
  wait_for_copies<0>();
  __syncthreads();
}

/// This thread's part of its warp's 16 rows: two of them, and 4 channels of each 16.
struct CoreThread {
  int warp = static_cast<int>(threadIdx.x) / warp_size;
  int group = static_cast<int>(threadIdx.x) % warp_size / 4;
  int place = static_cast<int>(threadIdx.x) % 4;

  __device__ __forceinline__ int row(int i) const { return warp * core_rows + group + 8 * i; }
};
__device__ __forceinline__ int core_block_rows() {
  return static_cast<int>(blockDim.x) / warp_size * core_rows;
}

/// Two rows of a head, of which the first of their channels is at from[i], as a product's left factor.
template <int Steps, class T>
__device__ __forceinline__ void load_core_rows(const T* const (&from)[2], int channels,
                                               std::uint32_t (&rows)[Steps][4]) {
  DFORMER_UNROLL
  for (int i = 0; i < 2; ++i) {
    DFORMER_UNROLL
    for (int c = 0; c < 2 * Steps; ++c) {
      const int channel = 8 * c + 2 * CoreThread().place;
      rows[c / 2][i + c % 2 * 2] =
          channel < channels ? *reinterpret_cast<const std::uint32_t*>(from[i] + channel) : 0u;
    }
  }
}

/// Two tokens of a head, whose channels this thread has a part of, as left factors of both products.
template <class T, int Steps, class Place>
struct CoreRows {
  int token[2];
  Place place[2];
  std::uint32_t of_scores[Steps][4], of_responses[Steps][4];

  /// The block has the rows from `first` on, of `length` tokens `step` apart; these are the addresses of the
  /// first token's channels. Where there are no tokens left, the last one's results are made again: the
  /// caller keeps those of tokens below `length`.
  template <class Score>
  __device__ __forceinline__ CoreRows(const Score& score, int first, int length, const T* scores,
                                      const T* responses, std::int64_t step, int channels) {
    const T* score_row[2];
    const T* response_row[2];
    DFORMER_UNROLL
    for (int i = 0; i < 2; ++i) {
      token[i] = first + CoreThread().row(i);
      const int there = min(token[i], length - 1);
      place[i] = score.place(there);
      score_row[i] = scores + there * step;
      response_row[i] = responses + there * step;
    }
    load_core_rows<Steps>(score_row, channels, of_scores);
    load_core_rows<Steps>(response_row, channels, of_responses);
  }
};

/// Stores row i of the sums, or adds it to what is there.
template <int Steps, class T>
__device__ __forceinline__ void store_core_row(const float (&sums)[2 * Steps][4], int i, float scale,
                                               int channels, T* to, bool add) {
  DFORMER_UNROLL
  for (int c = 0; c < 2 * Steps; ++c) {
    const int channel = 8 * c + 2 * CoreThread().place;
    if (channel >= channels) continue;
    auto& pair = *reinterpret_cast<Pack<T, 2>*>(to + channel);
    float lower = sums[c][2 * i] * scale, upper = sums[c][2 * i + 1] * scale;
    if (add) {
      lower += to_float(pair.values[0]);
      upper += to_float(pair.values[1]);
    }
    pair = {from_float<T>(lower), from_float<T>(upper)};
  }
}

}  // namespace dformer::cuda::device
