#pragma once

// The part of the kernels' language that nvcc must be told (language.cuh).

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <dformer/core/half.hpp>

/// Before a loop whose counter is known to the compiler: what it indexes stays in registers.
#define DFORMER_UNROLL _Pragma("unroll")

namespace dformer::cuda::device {

__device__ __forceinline__ float to_float(half x) {
  return __half2float(__ushort_as_half(x.bits));
}
__device__ __forceinline__ float to_float(bfloat16 x) {
  return __bfloat162float(__ushort_as_bfloat16(x.bits));
}
__device__ __forceinline__ unsigned short half_bits(float x) {
  return __half_as_ushort(__float2half_rn(x));
}
__device__ __forceinline__ unsigned short bfloat16_bits(float x) {
  return __bfloat16_as_ushort(__float2bfloat16_rn(x));
}

/// Within a few last bits, each by one instruction; of 0 and infinity as expected. What is too small to be
/// normal is 0.
__device__ __forceinline__ float fast_exp2(float x) {
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}
__device__ __forceinline__ float fast_reciprocal(float x) {
  float y;
  asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}

/// The shared memory that the launch asked for, 16-byte aligned.
template <class T>
__device__ __forceinline__ T* dynamic_shared() {
  extern __shared__ uint4 dformer_dynamic_shared[];
  return reinterpret_cast<T*>(dformer_dynamic_shared);
}

}  // namespace dformer::cuda::device
