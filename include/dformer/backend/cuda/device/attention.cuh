#pragma once

#include <dformer/backend/cuda/device/attend.cuh>
#include <dformer/backend/cuda/device/block_of_packs.cuh>
#include <dformer/backend/cuda/device/floats.cuh>

namespace dformer::cuda {
namespace device {

template <class T>
struct CombineArgs {
  AttentionArgs<T> attention;
  BlockOfPacks block;
};

/// A block puts together what the parts of the keys found for one query of one head, or for a group of its
/// channels: its positions take parts in turn, several at a time, and their sums meet in shared memory. It
/// waits for memory and little else, so that nothing that is read waits for what was read before.
template <class T, int N>
__global__ void combine_parts(CombineArgs<T> blocks) {
  constexpr int in_flight = 4;
  const AttentionArgs<T>& args = blocks.attention;
  const AttentionProblem<T>& problem = args.problem;
  const BlockOfPacks& layout = blocks.block;
  const int queries = static_cast<int>(problem.queries.length), parts = static_cast<int>(args.parts);
  const int row = static_cast<int>(blockIdx.x) / layout.groups;
  const int group = static_cast<int>(blockIdx.x) % layout.groups;
  const int number = row / queries, query = row % queries;
  const std::int64_t first = number * args.parts * queries + query;  // parts lie `queries` rows apart
  const float* const statistics = args.statistics + 2 * first;
  const auto largest_of = [&](int part) { return statistics[std::int64_t{2} * part * queries]; };

  // Each warp by itself.
  const int lane = static_cast<int>(threadIdx.x) % warp_size;
  float largest = -INFINITY;
  for (int part = lane; part < parts; part += warp_size) largest = max(largest, largest_of(part));
  largest = warp_max(largest);
  float total = 0.0f;
  for (int part = lane; part < parts; part += warp_size) {
    total += statistics[std::int64_t{2} * part * queries + 1] * expf(largest_of(part) - largest);
  }
  const float scale = 1.0f / warp_sum(total);

  const int position = layout.position(), first_channel = group * layout.packs * N;
  const int channel = first_channel + layout.pack() * N, head_dim = static_cast<int>(problem.head_dim);
  float* const shared = dynamic_shared<float>();  // [positions][packs * N]
  if (position < layout.positions && channel < head_dim) {
    Floats<N> sums = Floats<N>::zero();
    for (int part = position; part < parts; part += in_flight * layout.positions) {
      Floats<N> found[in_flight];
      float weights[in_flight];
      DFORMER_UNROLL
      for (int i = 0; i < in_flight; ++i) {
        const int own = part + i * layout.positions;
        found[i] =
            own < parts
                ? load_floats<N>(args.sums + (first + std::int64_t{own} * queries) * head_dim + channel)
                : Floats<N>::zero();
        weights[i] = own < parts ? largest_of(own) : -INFINITY;
      }
      DFORMER_UNROLL
      for (int i = 0; i < in_flight; ++i) multiply_add(expf(weights[i] - largest), found[i], sums);
    }
    store_floats(shared + (position * layout.packs + layout.pack()) * N, sums);
  }
  __syncthreads();
  T* const y = args.y + HeadOfSequence(problem, number).offset(problem, problem.queries) +
               query * problem.queries.token_step;
  const int channels = layout.packs * N, c = static_cast<int>(threadIdx.x);  // at most a warp's
  if (c >= channels || first_channel + c >= head_dim) return;
  y[first_channel + c] = from_float<T>(layout.sum_of_positions(shared, channels, c) * scale);
}

template <int N, class T>
void launch_combine_parts(const AttentionArgs<T>& args, Stream stream) {
  CombineArgs<T> blocks{args, block_of_packs(args.problem.head_dim / N, 256, args.parts)};
  const BlockOfPacks& block = blocks.block;
  const std::int64_t rows = args.problem.all_sequences * args.problem.queries.length;
  const auto shared = static_cast<std::size_t>(block.positions * block.packs * N) * sizeof(float);
  launch("attention", combine_parts<T, N>, {rows * block.groups, block.threads(), shared}, stream, blocks);
}

}  // namespace device

template <class T>
void attend(const AttentionArgs<T>& args, Stream stream) {
  device::launch_attend<device::PlainScores>("attention", args, stream);
}

template <class T>
void combine_attention(const AttentionArgs<T>& args, Stream stream) {
  if (args.problem.head_dim % 4 == 0) {
    device::launch_combine_parts<4>(args, stream);
  } else {
    device::launch_combine_parts<1>(args, stream);
  }
}

template void attend(const AttentionArgs<float>&, Stream);
template void attend(const AttentionArgs<half>&, Stream);
template void attend(const AttentionArgs<bfloat16>&, Stream);
template void combine_attention(const AttentionArgs<float>&, Stream);
template void combine_attention(const AttentionArgs<half>&, Stream);
template void combine_attention(const AttentionArgs<bfloat16>&, Stream);

}  // namespace dformer::cuda
