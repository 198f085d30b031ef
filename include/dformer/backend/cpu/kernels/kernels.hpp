#pragma once

// The definitions of the CPU kernels, for every instruction set. In a program that links `dformer::cpu` they
// are compiled there, and this header is empty.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>

#include <dformer/backend/cpu/kernels/table.hpp>
#include <dformer/backend/cpu/kernels/target.hpp>

#if !defined(DFORMER_PRECOMPILED)

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpsabi"  // no vector crosses a call that is not inlined
#endif

namespace dformer::cpu::baseline {
inline constexpr int vector_bytes = 16;
#include <dformer/backend/cpu/kernels/all.inl>
}  // namespace dformer::cpu::baseline

#if defined(__x86_64__)
DFORMER_TARGET_AVX2_BEGIN
namespace dformer::cpu::avx2 {
inline constexpr int vector_bytes = 32;
#include <dformer/backend/cpu/kernels/all.inl>
}  // namespace dformer::cpu::avx2
DFORMER_TARGET_END

DFORMER_TARGET_AVX512_BEGIN
namespace dformer::cpu::avx512 {
inline constexpr int vector_bytes = 64;
#include <dformer/backend/cpu/kernels/all.inl>
}  // namespace dformer::cpu::avx512
DFORMER_TARGET_END
#endif

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

namespace dformer::cpu {

template <class T>
const KernelTable<T>& kernels(Isa isa) {
#if defined(__x86_64__)
  if (isa == Isa::avx512) return avx512::table<T>;
  if (isa == Isa::avx2) return avx2::table<T>;
#endif
  static_cast<void>(isa);
  return baseline::table<T>;
}

}  // namespace dformer::cpu

#endif  // DFORMER_PRECOMPILED
