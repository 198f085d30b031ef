#pragma once

#include <dformer/backend/cuda/device/geometry_scores.cuh>
#include <dformer/backend/cuda/device/gradients/attention_kernels.cuh>

namespace dformer::cuda {
namespace device {

/// What a block's share of the pairs sums to, in double: the first stage, of floats, and with one block the
/// second, of the first one's results.
template <class From, class To>
__device__ __forceinline__ void sum_share(const From* pairs, std::int64_t count, To* sums) {
  __shared__ double shared[2][256];
  double sum[2] = {};
  for (std::int64_t i = global_thread(); i < count; i += global_threads()) {
    sum[0] += static_cast<double>(pairs[2 * i]);
    sum[1] += static_cast<double>(pairs[2 * i + 1]);
  }
  shared[0][threadIdx.x] = sum[0];
  shared[1][threadIdx.x] = sum[1];
  __syncthreads();
  for (unsigned half_of = blockDim.x / 2; half_of > 0; half_of /= 2) {
    if (threadIdx.x < half_of) {
      for (auto& values : shared) values[threadIdx.x] += values[threadIdx.x + half_of];
    }
    __syncthreads();
  }
  if (threadIdx.x < 2) sums[2 * blockIdx.x + threadIdx.x] = static_cast<To>(shared[threadIdx.x][0]);
}
__global__ void sum_pairs_in_shares(SumPairsArgs args) {
  sum_share(args.pairs, args.count, args.partial);
}
__global__ void sum_shares(SumPairsArgs args) {
  sum_share(args.partial, sum_pairs_blocks, args.sums);
}

}  // namespace device

template <class T>
void geometry_attention_gradient(const AttentionGradientArgs<T>& args, Stream stream) {
  device::launch_gradients<device::GeometryScores>("geometry_attention gradient", args, stream);
}

void sum_pairs(const SumPairsArgs& args, Stream stream) {
  constexpr int threads = 256;
  device::launch("geometry_attention gradient", device::sum_pairs_in_shares, {sum_pairs_blocks, threads},
                 stream, args);
  device::launch("geometry_attention gradient", device::sum_shares, {1, threads}, stream, args);
}

template void geometry_attention_gradient(const AttentionGradientArgs<float>&, Stream);
template void geometry_attention_gradient(const AttentionGradientArgs<half>&, Stream);
template void geometry_attention_gradient(const AttentionGradientArgs<bfloat16>&, Stream);

}  // namespace dformer::cuda
