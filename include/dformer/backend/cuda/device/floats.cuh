#pragma once

#include <dformer/backend/cuda/device/language.cuh>

namespace dformer::cuda::device {

/// N neighbouring elements in registers, as floats whatever they are in memory.
template <int N>
struct Floats {
  float values[N];

  static __device__ __forceinline__ Floats zero() {
    Floats result;
    DFORMER_UNROLL
    for (int i = 0; i < N; ++i) result.values[i] = 0.0f;
    return result;
  }
};

/// By accesses of 16 bytes, or of N elements where those are less; `from` must be a multiple of that.
template <int N, class T>
__device__ __forceinline__ Floats<N> load_floats(const T* from) {
  constexpr int width = N < widest_pack<T> ? N : widest_pack<T>;
  static_assert(N % width == 0, "load_floats: N must be a multiple of what 16 bytes hold, or a part of it");
  Floats<N> result;
  DFORMER_UNROLL
  for (int i = 0; i < N; i += width) {
    const Pack<T, width> part = *reinterpret_cast<const Pack<T, width>*>(from + i);
    DFORMER_UNROLL
    for (int k = 0; k < width; ++k) result.values[i + k] = to_float(part.values[k]);
  }
  return result;
}

/// Rounded to T. Alignment as of load_floats.
template <int N, class T>
__device__ __forceinline__ void store_floats(T* to, const Floats<N>& floats) {
  constexpr int width = N < widest_pack<T> ? N : widest_pack<T>;
  static_assert(N % width == 0, "store_floats: N must be a multiple of what 16 bytes hold, or a part of it");
  DFORMER_UNROLL
  for (int i = 0; i < N; i += width) {
    Pack<T, width> part;
    DFORMER_UNROLL
    for (int k = 0; k < width; ++k) part.values[k] = from_float<T>(floats.values[i + k]);
    *reinterpret_cast<Pack<T, width>*>(to + i) = part;
  }
}

/// sums += a * b.
template <int N>
__device__ __forceinline__ void multiply_add(const Floats<N>& a, const Floats<N>& b, Floats<N>& sums) {
  DFORMER_UNROLL
  for (int i = 0; i < N; ++i) sums.values[i] = fmaf(a.values[i], b.values[i], sums.values[i]);
}
template <int N>
__device__ __forceinline__ void multiply_add(float a, const Floats<N>& b, Floats<N>& sums) {
  DFORMER_UNROLL
  for (int i = 0; i < N; ++i) sums.values[i] = fmaf(a, b.values[i], sums.values[i]);
}

/// y *= factors.
template <int N>
__device__ __forceinline__ void multiply(const Floats<N>& factors, Floats<N>& y) {
  DFORMER_UNROLL
  for (int i = 0; i < N; ++i) y.values[i] *= factors.values[i];
}

/// sums += a.
template <int N>
__device__ __forceinline__ void add_to(const Floats<N>& a, Floats<N>& sums) {
  DFORMER_UNROLL
  for (int i = 0; i < N; ++i) sums.values[i] += a.values[i];
}

}  // namespace dformer::cuda::device
