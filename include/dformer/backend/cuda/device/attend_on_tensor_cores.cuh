#pragma once

// Attention in half and bfloat16 on tensor cores, for heads of a multiple of 4 channels, up to 64. A warp
// owns 16 queries, whose channels stay in its registers, as do the scores of 16 queries by 32 keys, their
// weights, which are rounded to T for the second product, and the sums. Keys and values of a tile go through
// shared memory, for all warps of the block. Heads of DFormerv2 have 16 and 32 channels: what bounds them are
// not products but the prior and the exponential of each score, some 20 instructions.

#include <cfloat>
#include <type_traits>

#include <dformer/backend/cuda/device/attention_tile.cuh>
#include <dformer/backend/cuda/device/launch.cuh>
#include <dformer/backend/cuda/device/warp_matrix.cuh>

namespace dformer::cuda::device {

constexpr int core_rows = 16;  // queries of a warp
constexpr int core_keys = 32;  // of a tile
constexpr int most_core_keys =
    160;  // that are in shared memory at once: the longest line of a picture of 480x640
constexpr int core_blocks = core_keys / 8;
/// Elements from token to token of a tile in shared memory: rows are aligned to 16 bytes, and any 8
/// neighbouring rows begin in different banks.
template <int Steps>
constexpr int core_step = 16 * Steps + 8;

/// Whether attention on tensor cores takes heads of so many channels, whose tokens are `step` elements apart.
__host__ __device__ constexpr bool fits_tensor_cores(std::int64_t head_dim, std::int64_t step) {
  return head_dim % 4 == 0 && head_dim <= 64 && step % 4 == 0;
}

/// Keys, whole tiles of them, that are brought to shared memory at once.
__host__ __device__ constexpr int core_keys_at_once(std::int64_t keys) {
  return keys >= most_core_keys ? most_core_keys
                                : static_cast<int>((keys + core_keys - 1) / core_keys) * core_keys;
}

/// The block brings `rows` keys and as many values to shared memory, the one behind the other, N channels at
/// a time; what is beyond the tokens and channels that there are becomes 0. Loads of a thread do not wait for
/// each other.
template <int Steps, int N, class T>
__device__ __forceinline__ void load_core_packs(const T* keys, const T* values, std::int64_t step, int rows,
                                                int tokens, std::int64_t channels, T* to) {
  constexpr int packs = 16 * Steps / N, in_flight = 32 / N;
  const int threads = static_cast<int>(blockDim.x), count = 2 * rows * packs;
  for (int first = static_cast<int>(threadIdx.x); first < count; first += in_flight * threads) {
    Pack<T, N> loaded[in_flight];
    DFORMER_UNROLL
    for (int n = 0; n < in_flight; ++n) {
      const int i = first + n * threads, number = i / packs, channel = i % packs * N;
      const int row = number < rows ? number : number - rows;
      loaded[n] = Pack<T, N>{};
      if (i < count && row < tokens && channel < channels) {
        const T* const from = number < rows ? keys : values;
        loaded[n] = *reinterpret_cast<const Pack<T, N>*>(from + row * step + channel);
      }
    }
    DFORMER_UNROLL
    for (int n = 0; n < in_flight; ++n) {
      const int i = first + n * threads;
      if (i < count)
        *reinterpret_cast<Pack<T, N>*>(to + i / packs * core_step<Steps> + i % packs * N) = loaded[n];
    }
  }
}
template <int Steps, class T>
__device__ __forceinline__ void load_core_tiles(const T* keys, const T* values, std::int64_t step, int rows,
                                                int tokens, std::int64_t channels, T* to) {
  if (channels % 8 == 0 && step % 8 == 0) {
    load_core_packs<Steps, 8>(keys, values, step, rows, tokens, channels, to);
  } else {
    load_core_packs<Steps, 4>(keys, values, step, rows, tokens, channels, to);
  }
}

/// The scores of a warp's queries and 8 * Blocks keys: of block n, queries `group` and `group + 8`, keys 8 n
/// + 2 place and the next.
template <int Steps, int Blocks, class T>
__device__ __forceinline__ void make_core_scores(const std::uint32_t (&queries)[Steps][4], const T* keys,
                                                 float (&scores)[Blocks][4]) {
  const int lane = static_cast<int>(threadIdx.x) % warp_size;
  DFORMER_UNROLL
  for (int n = 0; n < Blocks; n += 2) {
    DFORMER_UNROLL
    for (int i = 0; i < 4; ++i) scores[n][i] = scores[n + 1][i] = 0.0f;
    DFORMER_UNROLL
    for (int s = 0; s < Steps; ++s) {
      std::uint32_t both[4];  // of two blocks
      load_matrices<false>(
          keys + (8 * n + lane / 16 * 8 + lane % 8) * core_step<Steps> + 16 * s + lane / 8 % 2 * 8, both);
      multiply_add_16_bit<T>(queries[s], {both[0], both[1]}, scores[n]);
      multiply_add_16_bit<T>(queries[s], {both[2], both[3]}, scores[n + 1]);
    }
  }
}

/// sums += weights * values.
template <int Steps, int Blocks, class T>
__device__ __forceinline__ void add_core_values(const float (&weights)[Blocks][4], const T* values,
                                                float (&sums)[2 * Steps][4]) {
  const int lane = static_cast<int>(threadIdx.x) % warp_size;
  DFORMER_UNROLL
  for (int n = 0; n < Blocks; n += 2) {
    // What is a sum of one product is just where the other wants its left factor.
    const std::uint32_t left[4] = {register_of<T>(weights[n][0], weights[n][1]),
                                   register_of<T>(weights[n][2], weights[n][3]),
                                   register_of<T>(weights[n + 1][0], weights[n + 1][1]),
                                   register_of<T>(weights[n + 1][2], weights[n + 1][3])};
    DFORMER_UNROLL
    for (int s = 0; s < Steps; ++s) {
      std::uint32_t both[4];
      load_matrices<true>(values + (8 * n + lane % 16) * core_step<Steps> + 16 * s + lane / 16 * 8, both);
      multiply_add_16_bit<T>(left, {both[0], both[1]}, sums[2 * s]);
      multiply_add_16_bit<T>(left, {both[2], both[3]}, sums[2 * s + 1]);
    }
  }
}

/// The maximum or sum over the four threads that share a row.
__device__ __forceinline__ float max_of_core_row(float value) {
  value = max(value, __shfl_xor_sync(all_lanes, value, 1));
  return max(value, __shfl_xor_sync(all_lanes, value, 2));
}
__device__ __forceinline__ float sum_of_core_row(float value) {
  value += __shfl_xor_sync(all_lanes, value, 1);
  return value + __shfl_xor_sync(all_lanes, value, 2);
}

/// As attend_tiles.
template <class T, int Steps, template <class> class Scores>
__global__ void attend_on_tensor_cores(AttentionArgs<T> args) {
  using Place = typename Scores<T>::Place;
  constexpr bool has_places = !std::is_empty_v<Place>;
  const AttentionProblem<T>& problem = args.problem;
  const int lane = static_cast<int>(threadIdx.x) % warp_size, group = lane / 4, place = lane % 4;
  const int rows = static_cast<int>(blockDim.x) / warp_size * core_rows;
  const int at_once = core_keys_at_once(args.keys_per_part);
  T* const keys = dynamic_shared<T>();
  T* const values = keys + at_once * core_step<Steps>;
  Place* const key_places = reinterpret_cast<Place*>(values + at_once * core_step<Steps>);

  const QueryBlock at(args, rows);
  const HeadOfSequence head(problem, at.number);
  const Scores<T> score(problem, head);
  const std::int64_t q_offset = head.offset(problem, problem.queries);
  const std::int64_t k_offset = head.offset(problem, problem.keys);

  // This thread's two queries; where there are none, the last one's result is made again and not kept.
  std::int64_t query[2];
  Place query_place[2];
  std::uint32_t q[Steps][4];
  DFORMER_UNROLL
  for (int i = 0; i < 2; ++i) {
    query[i] = at.first_query + static_cast<int>(threadIdx.x) / warp_size * core_rows + group + 8 * i;
    const std::int64_t there = min(query[i], problem.queries.length - 1);
    query_place[i] = score.place(there);
    const T* const from = problem.q + q_offset + there * problem.queries.token_step;
    DFORMER_UNROLL
    for (int s = 0; s < 2 * Steps; ++s) {
      const int channel = 8 * s + 2 * place;
      q[s / 2][i + s % 2 * 2] =
          channel < problem.head_dim ? *reinterpret_cast<const std::uint32_t*>(from + channel) : 0u;
    }
  }

  float largest[2] = {-FLT_MAX, -FLT_MAX}, total[2] = {};  // the total only of this thread's keys
  float sums[2 * Steps][4] = {};
  for (std::int64_t first = at.first_key; first < at.last_key; first += at_once) {
    const int count = static_cast<int>(min(at.last_key - first, std::int64_t{at_once}));
    const std::int64_t first_at = k_offset + first * problem.keys.token_step;
    __syncthreads();
    load_core_tiles<Steps>(problem.k + first_at, problem.v + first_at, problem.keys.token_step, at_once,
                           count, problem.head_dim, keys);
    if constexpr (has_places) {
      for (int key = static_cast<int>(threadIdx.x); key < at_once; key += static_cast<int>(blockDim.x)) {
        key_places[key] = score.place(min(first + key, at.last_key - 1));
      }
    }
    __syncthreads();
    for (int tile = 0; tile < count; tile += core_keys) {
      float scores[core_blocks][4];
      make_core_scores<Steps>(q, keys + tile * core_step<Steps>, scores);
      float top[2] = {largest[0], largest[1]};
      DFORMER_UNROLL
      for (int n = 0; n < core_blocks; ++n) {
        DFORMER_UNROLL
        for (int j = 0; j < 2; ++j) {
          const int key = tile + 8 * n + 2 * place + j;
          Place key_place{};
          if constexpr (has_places) key_place = key_places[key];
          DFORMER_UNROLL
          for (int i = 0; i < 2; ++i) {
            float& value = scores[n][2 * i + j];
            value = key < count ? score(value, query_place[i], key_place) : -INFINITY;
            top[i] = max(top[i], value);
          }
        }
      }
      DFORMER_UNROLL
      for (int i = 0; i < 2; ++i) {
        top[i] = max_of_core_row(top[i]);
        const float rescale = fast_exp2((largest[i] - top[i]) * log2_of_e), shift = -top[i] * log2_of_e;
        largest[i] = top[i];
        total[i] *= rescale;
        DFORMER_UNROLL
        for (int c = 0; c < 2 * Steps; ++c) {
          sums[c][2 * i] *= rescale;
          sums[c][2 * i + 1] *= rescale;
        }
        DFORMER_UNROLL
        for (int n = 0; n < core_blocks; ++n) {
          DFORMER_UNROLL
          for (int j = 0; j < 2; ++j) {
            float& weight = scores[n][2 * i + j];
            weight = fast_exp2(fmaf(weight, log2_of_e, shift));
            total[i] += weight;
          }
        }
      }
      add_core_values<Steps>(scores, values + tile * core_step<Steps>, sums);
    }
  }

  DFORMER_UNROLL
  for (int i = 0; i < 2; ++i) {
    const float all = sum_of_core_row(total[i]);
    if (query[i] >= problem.queries.length) continue;
    const std::int64_t row = (at.number * args.parts + at.part) * problem.queries.length + query[i];
    if (args.parts > 1 && place == 0) {
      args.statistics[2 * row] = largest[i];
      args.statistics[2 * row + 1] = all;
    }
    const float scale = 1.0f / all;
    DFORMER_UNROLL
    for (int c = 0; c < 2 * Steps; ++c) {
      const int channel = 8 * c + 2 * place;
      if (channel >= problem.head_dim) continue;
      if (args.parts == 1) {
        T* const to = args.y + q_offset + query[i] * problem.queries.token_step + channel;
        *reinterpret_cast<std::uint32_t*>(to) =
            register_of<T>(sums[c][2 * i] * scale, sums[c][2 * i + 1] * scale);
      } else {
        *reinterpret_cast<Pack<float, 2>*>(args.sums + row * problem.head_dim + channel) = {
            sums[c][2 * i], sums[c][2 * i + 1]};
      }
    }
  }
}

/// Warps of a block: as many as divide a sequence's queries with the least left over, up to 8.
constexpr int core_warps(std::int64_t queries) {
  const std::int64_t warps = blocks_of(queries, core_rows);
  return static_cast<int>(blocks_of(warps, blocks_of(warps, 8)));
}

template <template <class> class Scores, class T>
void launch_on_tensor_cores(const char* name, const AttentionArgs<T>& args, Stream stream) {
  const AttentionProblem<T>& problem = args.problem;
  const int warps = core_warps(problem.queries.length);
  const auto launch_steps = [&](auto steps) {
    using Place = typename Scores<T>::Place;
    constexpr std::size_t key_bytes =
        2 * core_step<steps()> * sizeof(T) + (std::is_empty_v<Place> ? 0 : sizeof(Place));
    const Grid grid{blocks_of(problem.queries.length, warps * core_rows) * args.parts * problem.all_sequences,
                    warps * warp_size,
                    static_cast<std::size_t>(core_keys_at_once(args.keys_per_part)) * key_bytes};
    launch(name, attend_on_tensor_cores<T, steps(), Scores>, grid, stream, args);
  };
  switch ((problem.head_dim + 15) / 16) {
    case 1:
      return launch_steps(std::integral_constant<int, 1>());
    case 2:
      return launch_steps(std::integral_constant<int, 2>());
    case 3:
      return launch_steps(std::integral_constant<int, 3>());
    default:
      return launch_steps(std::integral_constant<int, 4>());
  }
}

}  // namespace dformer::cuda::device
