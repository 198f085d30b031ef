#pragma once

#include <dformer/backend/cuda/device/floats.cuh>
#include <dformer/backend/cuda/kernels/row_lanes.hpp>

namespace dformer::cuda::device {

/// The sum over `lanes` neighbouring lanes, a power of two, in each of them. All of the warp take part.
__device__ __forceinline__ float sum_of_lanes(float value, int lanes) {
  for (int step = lanes / 2; step > 0; step /= 2) value += __shfl_xor_sync(all_lanes, value, step);
  return value;
}

/// The channel that pack number `pack` of a lane begins with.
template <int N>
__device__ __forceinline__ int channel_of(int pack, int lane, int lanes) {
  return (pack * lanes + lane) * N;
}

/// A lane's part of a row of `channels` elements; zeros beyond its end.
template <int N, int Packs, class T>
__device__ __forceinline__ void load_row(const T* row, std::int64_t channels, int lane, int lanes,
                                         Floats<N> (&parts)[Packs]) {
  DFORMER_UNROLL
  for (int p = 0; p < Packs; ++p) {
    const int channel = channel_of<N>(p, lane, lanes);
    parts[p] = channel < channels ? load_floats<N>(row + channel) : Floats<N>::zero();
  }
}

}  // namespace dformer::cuda::device
