#pragma once

#include <dformer/backend/cuda/device/gradients/attention_core_tile.cuh>

namespace dformer::cuda::device {

/// As find_key_gradients.
template <class T, int Steps, template <class> class Scores>
__global__ void __launch_bounds__(core_threads, core_blocks_at_once<Steps>)
    find_core_key_gradients(CoreGradientArgs<T> core) {
  using Place = typename Scores<T>::Place;
  using Tile = CoreTile<T, Steps, Place>;
  const AttentionGradientArgs<T>& args = core.gradient;
  const AttentionProblem<T>& problem = args.problem;
  const CoreThread thread;
  const Tile tile(core.columns);
  const int queries = static_cast<int>(problem.queries.length), keys = static_cast<int>(problem.keys.length),
            channels = static_cast<int>(problem.head_dim);
  const int first_key = static_cast<int>(blockIdx.x) % core.row_tiles * core_block_rows();
  const int number = static_cast<int>(blockIdx.x) / core.row_tiles;
  const HeadOfSequence head(problem, number);
  const Scores<T> score(problem, head);
  const std::int64_t q_at = head.offset(problem, problem.queries), k_at = head.offset(problem, problem.keys);

  const CoreRows<T, Steps, Place> rows(score, first_key, keys, problem.k + k_at, problem.v + k_at,
                                       problem.keys.token_step, channels);

  float dk[2 * Steps][4] = {}, dv[2 * Steps][4] = {};
  for (int first = 0; first < queries; first += core.columns) {
    __syncthreads();
    const int count = min(core.columns, queries - first);
    const std::int64_t at = q_at + first * problem.queries.token_step;
    tile.bring(problem.q + at, args.dy + at, problem.queries.token_step, count, channels);
    for (int i = static_cast<int>(threadIdx.x); i < core.columns; i += static_cast<int>(blockDim.x)) {
      const int query = first + min(i, count - 1);
      // 2 to the power of what is below infinity by any score is 0: beyond the queries there are no weights.
      tile.statistics[i / 2].of[i % 2] = CoreStatistics(i < count ? statistics_of(args, number, query)
                                                                  : QueryStatistics{INFINITY, 1.0f, 0.0f});
      if constexpr (Tile::has_places) tile.places[i / 2].of[i % 2] = score.place(query);
    }
    wait_for_tile();
    for (int column = 0; column < count; column += core_rows) {
      float weights[core_rows / 8][4], gradients[core_rows / 8][4];
      make_core_scores<Steps>(rows.of_scores, tile.scores + column * core_step<Steps>, weights);
      make_core_scores<Steps>(rows.of_responses, tile.responses + column * core_step<Steps>, gradients);
      DFORMER_UNROLL
      for (int n = 0; n < core_rows / 8; ++n) {
        const int pair = column / 2 + 4 * n + thread.place;
        const Neighbours<CoreStatistics> statistics = tile.statistics[pair];
        Neighbours<Place> at_pair{};
        if constexpr (Tile::has_places) at_pair = tile.places[pair];
        DFORMER_UNROLL
        for (int j = 0; j < 4; ++j) {
          const CoreStatistics& of_query = statistics.of[j % 2];
          weights[n][j] = of_query.weight(score(weights[n][j], rows.place[j / 2], at_pair.of[j % 2]));
          gradients[n][j] = weights[n][j] * (gradients[n][j] - of_query.mean);
        }
      }
      add_core_values<Steps>(weights, tile.responses + column * core_step<Steps>, dv);
      add_core_values<Steps>(gradients, tile.scores + column * core_step<Steps>, dk);
    }
  }
  DFORMER_UNROLL
  for (int i = 0; i < 2; ++i) {
    if (rows.token[i] >= keys) continue;
    const std::int64_t at = k_at + rows.token[i] * problem.keys.token_step;
    store_core_row<Steps>(dk, i, problem.scale, channels, args.dk + at, args.add);
    store_core_row<Steps>(dv, i, 1.0f, channels, args.dv + at, false);
  }
}

}  // namespace dformer::cuda::device
