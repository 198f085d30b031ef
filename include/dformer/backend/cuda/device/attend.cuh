#pragma once

#include <cfloat>

#include <dformer/backend/cuda/device/attend_on_tensor_cores.cuh>
#include <dformer/backend/cuda/device/attention_tile.cuh>
#include <dformer/backend/cuda/device/launch.cuh>

namespace dformer::cuda::device {

/// A block takes a tile of queries of one head, a part of the keys and a chunk of the values' channels, and
/// makes its softmax as it goes: when a larger score is met, what was summed before shrinks.
template <class T, int Pairs, template <class> class Scores>
__global__ void attend_tiles(AttentionArgs<T> args) {
  constexpr int step = tile_step(16 * Pairs);
  const AttentionProblem<T>& problem = args.problem;
  const TileThread thread;
  const int rows = tile_rows_of(static_cast<int>(blockDim.x));
  float* const q_tile = dynamic_shared<float>();
  float* const k_tile = q_tile + rows * step;
  float* const v_tile = k_tile + tile_columns * step;
  float* const weight_tile = v_tile + tile_columns * step;

  const QueryBlock at(args, rows);
  const int chunks = static_cast<int>(gridDim.y), own_chunk = static_cast<int>(blockIdx.y);
  const HeadOfSequence head(problem, at.number);
  const Scores<T> score(problem, head);
  const std::int64_t q_offset = head.offset(problem, problem.queries);
  const std::int64_t k_offset = head.offset(problem, problem.keys);
  const HeadTokens<T, Pairs> queries = HeadTokens<T, Pairs>{problem.q + q_offset, problem.queries.token_step,
                                                            problem.queries.length, problem.head_dim}
                                           .after(at.first_query);
  const HeadTokens<T, Pairs> keys{problem.k + k_offset, problem.keys.token_step, at.last_key,
                                  problem.head_dim};
  const HeadTokens<T, Pairs> values{problem.v + k_offset, problem.keys.token_step, at.last_key,
                                    problem.head_dim};

  typename Scores<T>::Place query_place[thread_rows];
  float largest[thread_rows], total[thread_rows];  // the total only of this thread's columns
  ThreadSums<Pairs> sums = {};
  for (int i = 0; i < thread_rows; ++i) {
    query_place[i] = score.place(min(at.first_query + thread.row(i), problem.queries.length - 1));
    largest[i] = -FLT_MAX;
    total[i] = 0.0f;
  }
  for (std::int64_t first = at.first_key; first < at.last_key; first += tile_columns) {
    ThreadScores scores = {};
    for (int chunk = 0; chunk < chunks; ++chunk) {
      __syncthreads();
      if (chunks > 1 || first == at.first_key) queries.load(chunk, rows, q_tile);
      keys.after(first).load(chunk, tile_columns, k_tile);
      if (chunk == 0) values.after(first).load(own_chunk, tile_columns, v_tile);
      __syncthreads();
      add_scores<Pairs>(q_tile, k_tile, scores);
    }
    for (int j = 0; j < thread_columns; ++j) {
      const std::int64_t key = first + thread.column(j);
      const auto key_place = score.place(min(key, at.last_key - 1));
      for (int i = 0; i < thread_rows; ++i) {
        scores[i][j] = key < at.last_key ? score(scores[i][j], query_place[i], key_place) : -INFINITY;
      }
    }
    for (int i = 0; i < thread_rows; ++i) {
      float top = largest[i];
      for (int j = 0; j < thread_columns; ++j) top = max(top, scores[i][j]);
      top = max_of_row_lanes(top);
      const float rescale = expf(largest[i] - top);
      largest[i] = top;
      total[i] *= rescale;
      for (int c = 0; c < 2 * Pairs; ++c) sums[i][c] *= rescale;
      for (int j = 0; j < thread_columns; ++j) {
        scores[i][j] = expf(scores[i][j] - top);
        total[i] += scores[i][j];
      }
    }
    share_weights(scores, weight_tile);
    add_weighted<Pairs>(weight_tile, v_tile, sums);
  }

  const std::int64_t valid_rows = problem.queries.length - at.first_query;
  const std::int64_t row = (at.number * args.parts + at.part) * problem.queries.length + at.first_query;
  for (int i = 0; i < thread_rows; ++i) {
    const float all = sum_of_row_lanes(total[i]);
    if (args.parts == 1) {
      const float scale = 1.0f / all;
      for (int c = 0; c < 2 * Pairs; ++c) sums[i][c] *= scale;
    } else if (own_chunk == 0 && thread.lane == 0 && thread.row(i) < valid_rows) {
      args.statistics[2 * (row + thread.row(i))] = largest[i];
      args.statistics[2 * (row + thread.row(i)) + 1] = all;
    }
  }
  if (args.parts == 1) {
    store_sums<Pairs>(sums, 1.0f, args.y + q_offset + at.first_query * problem.queries.token_step,
                      problem.queries.token_step, valid_rows, own_chunk, problem.head_dim, false);
  } else {
    store_sums<Pairs>(sums, 1.0f, args.sums + row * problem.head_dim, problem.head_dim, valid_rows, own_chunk,
                      problem.head_dim, false);
  }
}

template <template <class> class Scores, class T>
void launch_attend(const char* name, const AttentionArgs<T>& args, Stream stream) {
  const AttentionProblem<T>& problem = args.problem;
  if constexpr (!std::is_same_v<T, float>) {
    if (problem.tensor_cores && fits_tensor_cores(problem.head_dim, problem.queries.token_step)) {
      return launch_on_tensor_cores<Scores>(name, args, stream);
    }
  }
  const int threads = attention_threads(problem.queries.length, problem.head_dim, 1);
  const Grid grid{
      blocks_of(problem.queries.length, tile_rows_of(threads)) * args.parts * problem.all_sequences, threads,
      attention_shared_bytes(threads, problem.head_dim, 1, 2), chunks_of(problem.head_dim)};
  with_pairs(problem.head_dim,
             [&](auto pairs) { launch(name, attend_tiles<T, pairs(), Scores>, grid, stream, args); });
}

}  // namespace dformer::cuda::device
