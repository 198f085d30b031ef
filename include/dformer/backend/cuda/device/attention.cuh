#pragma once

#include <dformer/backend/cuda/device/attend.cuh>

namespace dformer::cuda {
namespace device {

/// A warp puts together what the parts of the keys found for one query of one head.
template <class T>
__global__ void combine_parts(AttentionArgs<T> args) {
  const AttentionProblem<T>& problem = args.problem;
  const std::int64_t queries = problem.queries.length;
  const std::int64_t row = global_thread() / warp_size;
  if (row >= problem.all_sequences * queries) return;
  const int lane = static_cast<int>(threadIdx.x) % warp_size;
  const std::int64_t number = row / queries, query = row % queries;
  const std::int64_t first = number * args.parts * queries + query;  // parts lie `queries` rows apart
  const auto largest_of = [&](std::int64_t part) { return args.statistics[2 * (first + part * queries)]; };
  float largest = -INFINITY;
  for (std::int64_t part = lane; part < args.parts; part += warp_size)
    largest = max(largest, largest_of(part));
  largest = warp_max(largest);
  float total = 0.0f;
  for (std::int64_t part = lane; part < args.parts; part += warp_size) {
    total += args.statistics[2 * (first + part * queries) + 1] * expf(largest_of(part) - largest);
  }
  const float scale = 1.0f / warp_sum(total);
  T* const y = args.y + HeadOfSequence(problem, number).offset(problem, problem.queries) +
               query * problem.queries.token_step;
  for (std::int64_t c = lane; c < problem.head_dim; c += warp_size) {
    float sum = 0.0f;
    for (std::int64_t part = 0; part < args.parts; ++part) {
      sum = fmaf(args.sums[(first + part * queries) * problem.head_dim + c], expf(largest_of(part) - largest),
                 sum);
    }
    y[c] = from_float<T>(sum * scale);
  }
}

}  // namespace device

template <class T>
void attend(const AttentionArgs<T>& args, Stream stream) {
  device::launch_attend<device::PlainScores>("attention", args, stream);
}

template <class T>
void combine_attention(const AttentionArgs<T>& args, Stream stream) {
  constexpr int threads = 128;
  const std::int64_t rows = args.problem.all_sequences * args.problem.queries.length;
  const device::Grid grid{device::blocks_of(rows, threads / device::warp_size), threads};
  device::launch("attention", device::combine_parts<T>, grid, stream, args);
}

template void attend(const AttentionArgs<float>&, Stream);
template void attend(const AttentionArgs<half>&, Stream);
template void attend(const AttentionArgs<bfloat16>&, Stream);
template void combine_attention(const AttentionArgs<float>&, Stream);
template void combine_attention(const AttentionArgs<half>&, Stream);
template void combine_attention(const AttentionArgs<bfloat16>&, Stream);

}  // namespace dformer::cuda
