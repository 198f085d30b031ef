#pragma once

#include <dformer/backend/cuda/device/gradients/attention_tile.cuh>

namespace dformer::cuda::device {

/// A warp puts together what the parts of the keys found for a query.
template <class T>
__global__ void combine_statistics(AttentionGradientArgs<T> args) {
  const std::int64_t queries = args.problem.queries.length;
  const std::int64_t row = global_thread() / warp_size;
  if (row >= args.problem.all_sequences * queries) return;
  const int lane = static_cast<int>(threadIdx.x) % warp_size;
  const float* const first =
      args.part_statistics + 3 * (row / queries * args.parts * queries + row % queries);
  float largest = -INFINITY;
  for (std::int64_t part = lane; part < args.parts; part += warp_size) {
    largest = max(largest, first[3 * part * queries]);
  }
  largest = warp_max(largest);
  float total = 0.0f, response = 0.0f;
  for (std::int64_t part = lane; part < args.parts; part += warp_size) {
    const float* const found = first + 3 * part * queries;
    const float rescale = expf(found[0] - largest);
    total = fmaf(found[1], rescale, total);
    response = fmaf(found[2], rescale, response);
  }
  total = warp_sum(total);
  response = warp_sum(response);
  if (lane != 0) return;
  args.statistics[3 * row] = largest;
  args.statistics[3 * row + 1] = 1.0f / total;
  args.statistics[3 * row + 2] = response / total;
}

/// dq, all parts added in their order.
template <class T>
__global__ void sum_query_gradients(AttentionGradientArgs<T> args) {
  const AttentionProblem<T>& problem = args.problem;
  const std::int64_t head_size = problem.queries.length * problem.head_dim;
  for (std::int64_t i = global_thread(); i < problem.all_sequences * head_size; i += global_threads()) {
    const std::int64_t number = i / head_size, within = i % head_size;
    const float* const from = args.dq_parts + number * args.parts * head_size + within;
    float sum = 0.0f;
    for (std::int64_t part = 0; part < args.parts; ++part) sum += from[part * head_size];
    args.dq[HeadOfSequence(problem, number).offset(problem, problem.queries) +
            within / problem.head_dim * problem.queries.token_step + within % problem.head_dim] =
        from_float<T>(sum);
  }
}

template <class T>
void launch_combine_statistics(const char* name, const AttentionGradientArgs<T>& args, Stream stream) {
  constexpr int threads = 128;
  const std::int64_t rows = args.problem.all_sequences * args.problem.queries.length;
  launch(name, combine_statistics<T>, {blocks_of(rows, threads / warp_size), threads}, stream, args);
}
template <class T>
void launch_sum_query_gradients(const char* name, const AttentionGradientArgs<T>& args, Stream stream) {
  const AttentionProblem<T>& problem = args.problem;
  launch(name, sum_query_gradients<T>,
         elementwise_grid(problem.all_sequences * problem.queries.length * problem.head_dim), stream, args);
}

}  // namespace dformer::cuda::device
