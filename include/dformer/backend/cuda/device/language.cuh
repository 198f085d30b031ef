#pragma once

// What kernels are written in: CUDA C++17, less what the emulation lacks. Kernels are function templates of
// one argument, a plain struct; they stand in namespace dformer::cuda::device, and this header is all that
// they include beside others of this folder and the structs of kernels/. Compiled by nvcc they run on a GPU;
// by a host compiler, in the emulation (docs/cuda.md).
//
// A kernel may use: __global__, __device__, __forceinline__, static __shared__ arrays, dynamic_shared<T>(),
// threadIdx, blockIdx, blockDim, gridDim, __syncthreads(), whole-warp __shfl_sync, __shfl_xor_sync,
// __shfl_down_sync, __syncwarp, __any_sync,
// __all_sync, atomicAdd; min, max; the C functions on float (expf, logf, erff, fmaf, …), rsqrtf, __fmul_rn,
// __fadd_rn, fast_exp2, log2_of_e, fast_reciprocal; DFORMER_UNROLL before a loop; and what is below. Blocks
// have a multiple of 32 threads, and all of a warp take part in what a warp does together.

#include <cstdint>

#include <dformer/core/half.hpp>

#if defined(__CUDACC__)
#include <dformer/backend/cuda/device/language_cuda.cuh>
#else
#include <dformer/backend/cuda/emulation/language.hpp>
#endif

namespace dformer::cuda::device {

constexpr int warp_size = 32;
constexpr unsigned all_lanes = 0xffffffffu;
constexpr float log2_of_e = 1.44269504088896341f;

__device__ __forceinline__ float to_float(float x) {
  return x;
}

/// The nearest value of T.
template <class T>
__device__ __forceinline__ T from_float(float x);
template <>
__device__ __forceinline__ float from_float<float>(float x) {
  return x;
}
template <>
__device__ __forceinline__ half from_float<half>(float x) {
  return half{half_bits(x)};
}
template <>
__device__ __forceinline__ bfloat16 from_float<bfloat16>(float x) {
  return bfloat16{bfloat16_bits(x)};
}

/// N neighbouring elements that are moved by one instruction. Their address must be a multiple of its size.
template <class T, int N>
struct alignas(sizeof(T) * N) Pack {
  T values[N];
};
/// As many elements as 16 bytes hold, the most that a thread moves at once.
template <class T>
constexpr int widest_pack = 16 / static_cast<int>(sizeof(T));

/// The sum over the lanes of a warp, in every lane.
__device__ __forceinline__ float warp_sum(float value) {
  for (int step = warp_size / 2; step > 0; step /= 2) value += __shfl_xor_sync(all_lanes, value, step);
  return value;
}
__device__ __forceinline__ float warp_max(float value) {
  for (int step = warp_size / 2; step > 0; step /= 2) {
    value = max(value, __shfl_xor_sync(all_lanes, value, step));
  }
  return value;
}

/// Number of this thread, and of all threads, in a one-dimensional grid.
__device__ __forceinline__ std::int64_t global_thread() {
  return static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
}
__device__ __forceinline__ std::int64_t global_threads() {
  return static_cast<std::int64_t>(gridDim.x) * blockDim.x;
}

}  // namespace dformer::cuda::device
