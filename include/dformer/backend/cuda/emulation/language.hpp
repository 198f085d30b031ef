#pragma once

// The kernels' language (device/language.cuh) for a host compiler. Only kernel sources include this: its
// macros are CUDA's words.

#include <cmath>
#include <cstdint>
#include <cstring>

#include <dformer/backend/cuda/emulation/block.hpp>
#include <dformer/backend/cuda/emulation/shared_memory.hpp>
#include <dformer/core/dtype.hpp>
#include <dformer/core/half.hpp>

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __shared__ static
#define __launch_bounds__(...)
#if !defined(DFORMER_UNROLL)  // the CPU's kernels have one too
#define DFORMER_UNROLL
#endif

namespace dformer::cuda {

inline void __syncthreads() {
  emulation::Block::current()->sync_threads();
}
inline void __syncwarp(unsigned = 0xffffffffu) {
  emulation::Block::current()->sync_warp();
}

template <class T>
T __shfl_sync(unsigned, T value, int lane) {
  return emulation::Block::current()->exchange(value, static_cast<unsigned>(lane) % 32);
}
template <class T>
T __shfl_xor_sync(unsigned, T value, int mask) {
  emulation::Block& block = *emulation::Block::current();
  return block.exchange(value, block.lane() ^ static_cast<unsigned>(mask));
}
template <class T>
T __shfl_down_sync(unsigned, T value, unsigned delta) {
  emulation::Block& block = *emulation::Block::current();
  return block.exchange(value, block.lane() + delta);
}
inline int __any_sync(unsigned, int predicate) {
  std::uint64_t any = 0;
  for (const std::uint64_t lane : emulation::Block::current()->publish(std::uint64_t{predicate != 0}))
    any |= lane;
  return any != 0;
}
inline int __all_sync(unsigned, int predicate) {
  std::uint64_t all = 1;
  for (const std::uint64_t lane : emulation::Block::current()->publish(std::uint64_t{predicate != 0}))
    all &= lane;
  return all != 0;
}

/// One thread runs at a time, so that nothing comes between.
template <class T>
T atomicAdd(T* address, T value) {
  const T old = *address;
  *address = old + value;
  return old;
}

template <class T>
constexpr T min(T a, T b) {
  return b < a ? b : a;
}
template <class T>
constexpr T max(T a, T b) {
  return a < b ? b : a;
}
inline float max(float a, float b) {
  return std::fmax(a, b);
}  // of a number and a NaN, the number, as on a GPU
inline float min(float a, float b) {
  return std::fmin(a, b);
}
inline float rsqrtf(float x) {
  return 1.0f / std::sqrt(x);
}
/// Products and sums that are rounded by themselves, and never joined to a fused one.
inline float __fmul_rn(float a, float b) {
  return a * b;
}
inline float __fadd_rn(float a, float b) {
  return a + b;
}

namespace device {

inline float to_float(half x) {
  return half_to_float(x.bits);
}
inline float to_float(bfloat16 x) {
  return bfloat16_to_float(x.bits);
}
inline std::uint16_t half_bits(float x) {
  return float_to_half(x);
}
inline std::uint16_t bfloat16_bits(float x) {
  return float_to_bfloat16(x);
}

inline float fast_exp2(float x) {
  return std::exp2(x);
}
inline float fast_reciprocal(float x) {
  return 1.0f / x;
}

template <class T>
T* dynamic_shared() {
  return reinterpret_cast<T*>(emulation::SharedMemory::current().data());
}

}  // namespace device
}  // namespace dformer::cuda
