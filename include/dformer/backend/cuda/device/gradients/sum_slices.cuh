#pragma once

#include <dformer/backend/cuda/device/launch.cuh>

namespace dformer::cuda::device {

/// y[i] = the sum of x[slice][i] over the slices, always in the same order.
struct SumSlicesArgs {
  const float* x;
  float* y;
  std::int64_t slices;
  std::int64_t count;
};

constexpr int slice_lanes = 8;  // threads that share an element

/// A block takes 32 elements; each row of its threads every eighth slice.
template <class Args>
__global__ void sum_slices_of(Args args) {
  __shared__ float shared[slice_lanes][warp_size];
  const int column = static_cast<int>(threadIdx.x) % warp_size,
            row = static_cast<int>(threadIdx.x) / warp_size;
  const std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * warp_size + column;
  float sum = 0.0f;
  if (i < args.count) {
    for (std::int64_t slice = row; slice < args.slices; slice += slice_lanes)
      sum += args.x[slice * args.count + i];
  }
  shared[row][column] = sum;
  __syncthreads();
  if (row != 0 || i >= args.count) return;
  for (int lane = 1; lane < slice_lanes; ++lane) sum += shared[lane][column];
  args.y[i] = sum;
}

inline void sum_slices(const SumSlicesArgs& args, Stream stream) {
  launch("sum_slices", sum_slices_of<SumSlicesArgs>,
         {blocks_of(args.count, warp_size), slice_lanes * warp_size}, stream, args);
}

}  // namespace dformer::cuda::device
