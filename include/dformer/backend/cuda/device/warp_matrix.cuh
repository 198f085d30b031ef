#pragma once

// What a warp does together on tensor cores (compute capability 8.0 and later; docs/cuda.md), and who holds
// what meanwhile. Of a warp, `lane / 4` is a thread's group and `lane % 4` its place in it. A register holds
// two neighbouring 16-bit elements, the lower first, or one float's upper 19 bits (TF32).
//
//   a [16, 16] of 16 bits   a[0]: row group, columns 2 place and the next; a[1]: row group + 8; a[2], a[3]:
//   as these, 8 columns on b [16, 8] of 16 bits    b[0]: column group, rows 2 place and the next; b[1]: 8
//   rows on a [16, 8] of TF32       a[0]: row group, column place; a[1]: row group + 8; a[2], a[3]: as these,
//   4 columns on b [8, 8] of TF32        b[0]: column group, row place; b[1]: 4 rows on sums [16, 8] sums[0],
//   sums[1]: row group, columns 2 place and the next; sums[2], sums[3]: row group + 8

#include <dformer/backend/cuda/device/language.cuh>

#if defined(__CUDACC__)
#include <dformer/backend/cuda/device/warp_matrix_cuda.cuh>
#else
#include <dformer/backend/cuda/emulation/warp_matrix.hpp>
#endif

namespace dformer::cuda::device {

/// Two values rounded to T, in a register.
template <class T>
__device__ __forceinline__ std::uint32_t register_of(float lower, float upper) {
  return static_cast<std::uint32_t>(from_float<T>(upper).bits) << 16 | from_float<T>(lower).bits;
}

/// The nearest value that TF32 holds.
__device__ __forceinline__ float rounded_to_tf32(float x) {
  return float_of(tf32_bits(x));
}

}  // namespace dformer::cuda::device
