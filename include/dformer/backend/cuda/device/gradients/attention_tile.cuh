#pragma once

#include <cfloat>

#include <dformer/backend/cuda/device/attention_tile.cuh>
#include <dformer/backend/cuda/device/launch.cuh>
#include <dformer/backend/cuda/kernels/gradients/attention.hpp>

namespace dformer::cuda::device {

/// The tiles of a kernel of the gradients: two of rows and two of columns, of which the first make the scores
/// and the second the responses.
template <int Pairs>
struct GradientTiles {
  int rows = tile_rows_of(static_cast<int>(blockDim.x));
  float* score_rows = dynamic_shared<float>();
  float* response_rows = score_rows + rows * tile_step(16 * Pairs);
  float* score_columns = response_rows + rows * tile_step(16 * Pairs);
  float* response_columns = score_columns + tile_columns * tile_step(16 * Pairs);
  float* weights = response_columns + tile_columns * tile_step(16 * Pairs);
};

/// What scores and responses are made of: queries with keys, and their gradients with values; or the other
/// way round.
template <class T, int Pairs>
struct GradientOperands {
  HeadTokens<T, Pairs> scores;
  HeadTokens<T, Pairs> responses;

  __device__ __forceinline__ GradientOperands after(std::int64_t tokens) const {
    return {scores.after(tokens), responses.after(tokens)};
  }
};

/// Products of a tile of rows with one of columns. The chunk that is this block's own is taken up last, so
/// that the tiles hold it afterwards.
template <int Pairs, class T>
__device__ __forceinline__ void add_products(const GradientTiles<Pairs>& tiles,
                                             const GradientOperands<T, Pairs>& rows, bool rows_are_new,
                                             const GradientOperands<T, Pairs>& columns,
                                             ThreadScores& products, ThreadScores& responses) {
  const int chunks = chunks_of(rows.scores.channels);
  for (int c = 1; c <= chunks; ++c) {
    const int chunk = (static_cast<int>(blockIdx.y) + c) % chunks;
    __syncthreads();
    if (chunks > 1 || rows_are_new) {
      rows.scores.load(chunk, tiles.rows, tiles.score_rows);
      rows.responses.load(chunk, tiles.rows, tiles.response_rows);
    }
    columns.scores.load(chunk, tile_columns, tiles.score_columns);
    columns.responses.load(chunk, tile_columns, tiles.response_columns);
    __syncthreads();
    add_scores<Pairs>(tiles.score_rows, tiles.score_columns, products);
    add_scores<Pairs>(tiles.response_rows, tiles.response_columns, responses);
  }
}

/// A head's queries and the gradients of its results; its keys and values.
template <int Pairs, class T>
__device__ __forceinline__ GradientOperands<T, Pairs> queries_of(const AttentionGradientArgs<T>& args,
                                                                 const HeadOfSequence& head) {
  const AttentionProblem<T>& problem = args.problem;
  const std::int64_t offset = head.offset(problem, problem.queries);
  const HeadTokens<T, Pairs> q{problem.q + offset, problem.queries.token_step, problem.queries.length,
                               problem.head_dim};
  return {q, {args.dy + offset, q.step, q.count, q.channels}};
}
template <int Pairs, class T>
__device__ __forceinline__ GradientOperands<T, Pairs> keys_of(const AttentionProblem<T>& problem,
                                                              const HeadOfSequence& head,
                                                              std::int64_t last_key) {
  const std::int64_t offset = head.offset(problem, problem.keys);
  const HeadTokens<T, Pairs> k{problem.k + offset, problem.keys.token_step, last_key, problem.head_dim};
  return {k, {problem.v + offset, k.step, k.count, k.channels}};
}

/// What is known of a query's softmax.
struct QueryStatistics {
  float largest, scale, mean;

  __device__ __forceinline__ float weight(float score) const { return expf(score - largest) * scale; }
};
template <class T>
__device__ __forceinline__ QueryStatistics statistics_of(const AttentionGradientArgs<T>& args,
                                                         std::int64_t number, std::int64_t query) {
  const float* const from = args.statistics + 3 * (number * args.problem.queries.length + query);
  return {from[0], from[1], from[2]};
}

}  // namespace dformer::cuda::device
