#pragma once

#include <dformer/backend/cuda/device/gradients/attention_on_tensor_cores.cuh>
#include <dformer/backend/cuda/device/gradients/attention_parts.cuh>
#include <dformer/backend/cuda/device/gradients/attention_tile.cuh>

namespace dformer::cuda::device {

/// The statistics of a tile of queries, of one part of the keys.
template <class T, int Pairs, template <class> class Scores>
__global__ void find_statistics(AttentionGradientArgs<T> args) {
  const AttentionProblem<T>& problem = args.problem;
  const TileThread thread;
  const GradientTiles<Pairs> tiles;
  const QueryBlock block(args, tiles.rows);
  const HeadOfSequence head(problem, block.number);
  const Scores<T> score(problem, head);
  const auto rows = queries_of<Pairs>(args, head).after(block.first_query);
  const auto keys = keys_of<Pairs>(problem, head, block.last_key);

  typename Scores<T>::Place query_place[thread_rows];
  float largest[thread_rows], total[thread_rows], response[thread_rows];  // sums of this thread's columns
  for (int i = 0; i < thread_rows; ++i) {
    query_place[i] = score.place(min(block.first_query + thread.row(i), problem.queries.length - 1));
    largest[i] = -FLT_MAX;
    total[i] = response[i] = 0.0f;
  }
  for (std::int64_t first = block.first_key; first < block.last_key; first += tile_columns) {
    ThreadScores products = {}, responses = {};
    add_products<Pairs>(tiles, rows, first == block.first_key, keys.after(first), products, responses);
    for (int j = 0; j < thread_columns; ++j) {
      const std::int64_t key = first + thread.column(j);
      const auto key_place = score.place(min(key, block.last_key - 1));
      for (int i = 0; i < thread_rows; ++i) {
        products[i][j] = key < block.last_key ? score(products[i][j], query_place[i], key_place) : -INFINITY;
      }
    }
    for (int i = 0; i < thread_rows; ++i) {
      float top = largest[i];
      for (int j = 0; j < thread_columns; ++j) top = max(top, products[i][j]);
      const float rescale = expf(largest[i] - top);
      largest[i] = top;
      total[i] *= rescale;
      response[i] *= rescale;
      for (int j = 0; j < thread_columns; ++j) {
        const float weight = expf(products[i][j] - top);
        total[i] += weight;
        response[i] = fmaf(weight, responses[i][j], response[i]);
      }
    }
  }
  for (int i = 0; i < thread_rows; ++i) {
    const float top = max_of_row_lanes(largest[i]);
    const float rescale = expf(largest[i] - top);
    const float all = sum_of_row_lanes(total[i] * rescale);
    const float all_responses = sum_of_row_lanes(response[i] * rescale);
    const std::int64_t query = block.first_query + thread.row(i);
    if (thread.lane != 0 || query >= problem.queries.length) continue;
    float* const to = args.part_statistics +
                      3 * ((block.number * args.parts + block.part) * problem.queries.length + query);
    to[0] = top;
    to[1] = all;
    to[2] = all_responses;
  }
}

/// dq of a tile of queries, or what one part of the keys adds to it.
template <class T, int Pairs, template <class> class Scores>
__global__ void find_query_gradients(AttentionGradientArgs<T> args) {
  const AttentionProblem<T>& problem = args.problem;
  const TileThread thread;
  const GradientTiles<Pairs> tiles;
  const QueryBlock block(args, tiles.rows);
  const HeadOfSequence head(problem, block.number);
  const Scores<T> score(problem, head);
  const auto rows = queries_of<Pairs>(args, head).after(block.first_query);
  const auto keys = keys_of<Pairs>(problem, head, block.last_key);

  typename Scores<T>::Place query_place[thread_rows];
  QueryStatistics statistics[thread_rows];
  typename Scores<T>::Sums prior_sums[thread_rows] = {};
  ThreadSums<Pairs> sums = {};
  for (int i = 0; i < thread_rows; ++i) {
    const std::int64_t query = min(block.first_query + thread.row(i), problem.queries.length - 1);
    query_place[i] = score.place(query);
    statistics[i] = statistics_of(args, block.number, query);
  }
  for (std::int64_t first = block.first_key; first < block.last_key; first += tile_columns) {
    ThreadScores products = {}, responses = {};
    add_products<Pairs>(tiles, rows, first == block.first_key, keys.after(first), products, responses);
    for (int j = 0; j < thread_columns; ++j) {
      const std::int64_t key = first + thread.column(j);
      const auto key_place = score.place(min(key, block.last_key - 1));
      for (int i = 0; i < thread_rows; ++i) {
        const float weight = statistics[i].weight(score(products[i][j], query_place[i], key_place));
        products[i][j] = key < block.last_key ? weight * (responses[i][j] - statistics[i].mean) : 0.0f;
        score.add(products[i][j], query_place[i], key_place, prior_sums[i]);
      }
    }
    share_weights(products, tiles.weights);
    add_weighted<Pairs>(tiles.weights, tiles.score_columns, sums);
  }
  const std::int64_t valid_rows = problem.queries.length - block.first_query;
  const int own_chunk = static_cast<int>(blockIdx.y);
  if (args.parts == 1) {
    store_sums<Pairs>(
        sums, problem.scale,
        args.dq + head.offset(problem, problem.queries) + block.first_query * problem.queries.token_step,
        problem.queries.token_step, valid_rows, own_chunk, problem.head_dim, args.add);
  } else {
    const std::int64_t row =
        (block.number * args.parts + block.part) * problem.queries.length + block.first_query;
    store_sums<Pairs>(sums, problem.scale, args.dq_parts + row * problem.head_dim, problem.head_dim,
                      valid_rows, own_chunk, problem.head_dim, false);
  }
  if (args.prior_sums == nullptr) return;
  for (int i = 0; i < thread_rows; ++i) {
    score.store(
        prior_sums[i], thread.lane == 0 && own_chunk == 0 && thread.row(i) < valid_rows,
        args.prior_sums + 2 * (block.number * problem.queries.length + block.first_query + thread.row(i)));
  }
}

/// dk and dv of a tile of keys, of all queries.
template <class T, int Pairs, template <class> class Scores>
__global__ void find_key_gradients(AttentionGradientArgs<T> args) {
  const AttentionProblem<T>& problem = args.problem;
  const TileThread thread;
  const GradientTiles<Pairs> tiles;
  const std::int64_t row_tiles = (problem.keys.length + tiles.rows - 1) / tiles.rows;
  const std::int64_t first_key = blockIdx.x % row_tiles * tiles.rows;
  const std::int64_t number = blockIdx.x / row_tiles;
  const HeadOfSequence head(problem, number);
  const Scores<T> score(problem, head);
  const auto rows = keys_of<Pairs>(problem, head, problem.keys.length).after(first_key);
  const auto queries = queries_of<Pairs>(args, head);

  typename Scores<T>::Place key_place[thread_rows];
  ThreadSums<Pairs> dk = {}, dv = {};
  for (int i = 0; i < thread_rows; ++i) {
    key_place[i] = score.place(min(first_key + thread.row(i), problem.keys.length - 1));
  }
  for (std::int64_t first = 0; first < problem.queries.length; first += tile_columns) {
    ThreadScores products = {}, responses = {};
    add_products<Pairs>(tiles, rows, first == 0, queries.after(first), products, responses);
    for (int j = 0; j < thread_columns; ++j) {
      const bool valid = first + thread.column(j) < problem.queries.length;
      const std::int64_t query = min(first + thread.column(j), problem.queries.length - 1);
      const auto query_place = score.place(query);
      const QueryStatistics statistics = statistics_of(args, number, query);
      for (int i = 0; i < thread_rows; ++i) {
        const float weight = statistics.weight(score(products[i][j], key_place[i], query_place));
        products[i][j] = valid ? weight : 0.0f;
        responses[i][j] = valid ? weight * (responses[i][j] - statistics.mean) : 0.0f;
      }
    }
    share_weights(products, tiles.weights);
    add_weighted<Pairs>(tiles.weights, tiles.response_columns, dv);
    share_weights(responses, tiles.weights);
    add_weighted<Pairs>(tiles.weights, tiles.score_columns, dk);
  }
  const std::int64_t at = head.offset(problem, problem.keys) + first_key * problem.keys.token_step;
  const std::int64_t valid_rows = problem.keys.length - first_key;
  const int own_chunk = static_cast<int>(blockIdx.y);
  store_sums<Pairs>(dk, problem.scale, args.dk + at, problem.keys.token_step, valid_rows, own_chunk,
                    problem.head_dim, args.add);
  store_sums<Pairs>(dv, 1.0f, args.dv + at, problem.keys.token_step, valid_rows, own_chunk, problem.head_dim,
                    false);
}

template <template <class> class Scores, class T>
void launch_gradients(const char* name, const AttentionGradientArgs<T>& args, Stream stream) {
  const AttentionProblem<T>& problem = args.problem;
  if constexpr (!std::is_same_v<T, float>) {
    if (problem.tensor_cores && fits_tensor_cores(problem.head_dim, problem.queries.token_step)) {
      return launch_gradients_on_tensor_cores<Scores>(name, args, stream);
    }
  }
  const int query_threads = attention_threads(problem.queries.length, problem.head_dim, 2);
  const int key_threads = attention_threads(problem.keys.length, problem.head_dim, 2);
  const std::int64_t sequences = problem.all_sequences;
  Grid queries{blocks_of(problem.queries.length, tile_rows_of(query_threads)) * args.parts * sequences,
               query_threads, attention_shared_bytes(query_threads, problem.head_dim, 2, 2)};
  Grid keys{blocks_of(problem.keys.length, tile_rows_of(key_threads)) * sequences, key_threads,
            attention_shared_bytes(key_threads, problem.head_dim, 2, 2), chunks_of(problem.head_dim)};
  with_pairs(problem.head_dim, [&](auto pairs) {
    launch(name, find_statistics<T, pairs(), Scores>, queries, stream, args);
    launch_combine_statistics(name, args, stream);
    queries.y = chunks_of(problem.head_dim);
    launch(name, find_query_gradients<T, pairs(), Scores>, queries, stream, args);
    if (args.parts > 1) launch_sum_query_gradients(name, args, stream);
    launch(name, find_key_gradients<T, pairs(), Scores>, keys, stream, args);
  });
}

}  // namespace dformer::cuda::device
