#pragma once

#include <dformer/backend/cuda/device/gradients/attention_core_tile.cuh>

namespace dformer::cuda::device {

/// The statistics of the part of a row's keys that this thread has seen.
struct SeenStatistics {
  /// At first less than any score, and finite as a power of 2.
  float largest = -0.5f * FLT_MAX, total = 0.0f, response = 0.0f;

  /// Takes up columns of row i of its scores and responses.
  __device__ __forceinline__ void add(const float (&scores)[core_blocks][4],
                                      const float (&responses)[core_blocks][4], int i) {
    float top = largest;
    DFORMER_UNROLL
    for (int n = 0; n < core_blocks; ++n) top = max(top, max(scores[n][2 * i], scores[n][2 * i + 1]));
    rescale(top);
    const float top_exponent = top * log2_of_e;
    DFORMER_UNROLL
    for (int n = 0; n < core_blocks; ++n) {
      DFORMER_UNROLL
      for (int j = 2 * i; j < 2 * i + 2; ++j) {
        const float weight = fast_exp2(fmaf(scores[n][j], log2_of_e, -top_exponent));
        total += weight;
        response = fmaf(weight, responses[n][j], response);
      }
    }
  }
  /// What all threads of the row have seen.
  __device__ __forceinline__ void put_together() {
    rescale(max_of_core_row(largest));
    total = sum_of_core_row(total);
    response = sum_of_core_row(response);
  }

 private:
  __device__ __forceinline__ void rescale(float top) {
    const float factor = fast_exp2((largest - top) * log2_of_e);
    largest = top;
    total *= factor;
    response *= factor;
  }
};

/// As find_statistics and find_query_gradients: the statistics where they are asked for, and, with all keys
/// in one part or the statistics known, dq.
template <class T, int Steps, template <class> class Scores>
__global__ void __launch_bounds__(core_threads, core_blocks_at_once<Steps>)
    find_core_query_gradients(CoreGradientArgs<T> core) {
  using Place = typename Scores<T>::Place;
  using Tile = CoreTile<T, Steps, Place>;
  const AttentionGradientArgs<T>& args = core.gradient;
  const AttentionProblem<T>& problem = args.problem;
  const CoreThread thread;
  const Tile tile(core.columns);
  const int queries = static_cast<int>(problem.queries.length), parts = static_cast<int>(args.parts),
            channels = static_cast<int>(problem.head_dim);
  const int first_query = static_cast<int>(blockIdx.x) % core.row_tiles * core_block_rows();
  const int number = static_cast<int>(blockIdx.x) / core.row_tiles / parts;
  const int part = static_cast<int>(blockIdx.x) / core.row_tiles % parts;
  const int first_key = part * static_cast<int>(args.keys_per_part);
  const int keys =
      min(static_cast<int>(problem.keys.length) - first_key, static_cast<int>(args.keys_per_part));
  const HeadOfSequence head(problem, number);
  const Scores<T> score(problem, head);
  const std::int64_t q_at = head.offset(problem, problem.queries),
                     k_at = head.offset(problem, problem.keys) + first_key * problem.keys.token_step;

  const CoreRows<T, Steps, Place> rows(score, first_query, queries, problem.q + q_at, args.dy + q_at,
                                       problem.queries.token_step, channels);

  const bool whole = keys <= core.columns;
  const auto bring = [&](int first) {
    __syncthreads();
    const int count = min(core.columns, keys - first);
    const std::int64_t at = k_at + first * problem.keys.token_step;
    tile.bring(problem.k + at, problem.v + at, problem.keys.token_step, count, channels);
    if constexpr (Tile::has_places) {
      for (int i = static_cast<int>(threadIdx.x); i < core.columns; i += static_cast<int>(blockDim.x)) {
        tile.places[i / 2].of[i % 2] = score.place(first_key + first + min(i, count - 1));
      }
    }
    wait_for_tile();
  };
  // Calls body(scores, responses, the first key's column) for each group of 8 * blocks keys.
  const auto for_all_groups = [&](auto blocks, const auto& body) {
    constexpr int group_blocks = decltype(blocks)::value, group = 8 * group_blocks;
    for (int first = 0; first < keys; first += core.columns) {
      if (!whole) bring(first);
      const int count = min(core.columns, keys - first);
      for (int column = 0; column < count; column += group) {
        float scores[group_blocks][4], responses[group_blocks][4];
        make_core_scores<Steps>(rows.of_scores, tile.scores + column * core_step<Steps>, scores);
        make_core_scores<Steps>(rows.of_responses, tile.responses + column * core_step<Steps>, responses);
        DFORMER_UNROLL
        for (int n = 0; n < group_blocks; ++n) {
          Neighbours<Place> at{};
          if constexpr (Tile::has_places) at = tile.places[column / 2 + 4 * n + thread.place];
          DFORMER_UNROLL
          for (int j = 0; j < 4; ++j) scores[n][j] = score(scores[n][j], rows.place[j / 2], at.of[j % 2]);
        }
        if (count - column < group) {
          DFORMER_UNROLL
          for (int n = 0; n < group_blocks; ++n) {
            DFORMER_UNROLL
            for (int j = 0; j < 4; ++j) {
              if (column + 8 * n + 2 * thread.place + j % 2 >= count) scores[n][j] = -INFINITY;
            }
          }
        }
        body(scores, responses, column);
      }
    }
  };
  if (whole) bring(0);

  CoreStatistics statistics[2];
  if (core.finds_statistics) {
    SeenStatistics seen[2];
    for_all_groups(std::integral_constant<int, core_blocks>(),
                   [&](const auto& scores, const auto& responses, int) {
                     seen[0].add(scores, responses, 0);
                     seen[1].add(scores, responses, 1);
                   });
    DFORMER_UNROLL
    for (int i = 0; i < 2; ++i) {
      seen[i].put_together();
      const bool stores = thread.place == 0 && rows.token[i] < queries;
      if (parts > 1) {
        float* const to =
            args.part_statistics + 3 * ((std::int64_t{number} * parts + part) * queries + rows.token[i]);
        if (stores) to[0] = seen[i].largest, to[1] = seen[i].total, to[2] = seen[i].response;
        continue;
      }
      const float scale = 1.0f / seen[i].total;
      const QueryStatistics found{seen[i].largest, scale, seen[i].response * scale};
      statistics[i] = CoreStatistics(found);
      float* const to = args.statistics + 3 * (std::int64_t{number} * queries + rows.token[i]);
      if (stores) to[0] = found.largest, to[1] = found.scale, to[2] = found.mean;
    }
    if (parts > 1) return;
  } else {
    DFORMER_UNROLL
    for (int i = 0; i < 2; ++i)
      statistics[i] = CoreStatistics(statistics_of(args, number, min(rows.token[i], queries - 1)));
  }

  float dq[2 * Steps][4] = {};
  typename Scores<T>::Sums prior_sums[2] = {};
  for_all_groups(std::integral_constant<int, core_rows / 8>(),
                 [&](auto& scores, const auto& responses, int column) {
                   DFORMER_UNROLL
                   for (int n = 0; n < core_rows / 8; ++n) {
                     Neighbours<Place> at{};
                     if constexpr (Tile::has_places) at = tile.places[column / 2 + 4 * n + thread.place];
                     DFORMER_UNROLL
                     for (int j = 0; j < 4; ++j) {
                       const CoreStatistics& of_query = statistics[j / 2];
                       scores[n][j] = of_query.weight(scores[n][j]) * (responses[n][j] - of_query.mean);
                       score.add(scores[n][j], rows.place[j / 2], at.of[j % 2], prior_sums[j / 2]);
                     }
                   }
                   add_core_values<Steps>(scores, tile.scores + column * core_step<Steps>, dq);
                 });
  DFORMER_UNROLL
  for (int i = 0; i < 2; ++i) {
    if constexpr (Tile::has_places) {
      const float position = sum_of_core_row(prior_sums[i].position),
                  depth = sum_of_core_row(prior_sums[i].depth);
      if (thread.place == 0 && rows.token[i] < queries) {
        float* const to = args.prior_sums + 2 * (std::int64_t{number} * queries + rows.token[i]);
        to[0] = score.decay * position;
        to[1] = score.decay * depth;
      }
    }
    if (rows.token[i] >= queries) continue;
    if (parts == 1) {
      store_core_row<Steps>(dq, i, problem.scale, channels,
                            args.dq + q_at + rows.token[i] * problem.queries.token_step, args.add);
    } else {
      const std::int64_t row = (std::int64_t{number} * parts + part) * queries + rows.token[i];
      store_core_row<Steps>(dq, i, problem.scale, channels, args.dq_parts + row * channels, false);
    }
  }
}

}  // namespace dformer::cuda::device
