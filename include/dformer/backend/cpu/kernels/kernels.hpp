#pragma once

// The definitions of the CPU kernels, for every instruction set.
//
// Header-only, every program that uses them compiles them. The library `dformer::cpu` compiles them once: its
// sources are this header with DFORMER_KERNELS_FOR set to an element type, and whoever links it is given
// DFORMER_PRECOMPILED, under which only the declarations of table.hpp remain. Both ways the kernels are the
// same templates, so that objects of both kinds may meet in one program.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>
#include <utility>

#include <dformer/backend/cpu/kernels/table.hpp>
#include <dformer/backend/cpu/kernels/target.hpp>
#include <dformer/backend/epilogue.hpp>

#if !defined(DFORMER_PRECOMPILED)

// -ffast-math optimises away the rounding by 1.5 * 2^23 added and taken off, and the comparisons that keep
// NaN.
#if defined(__FAST_MATH__)
#error \
    "dformer: the CPU kernels need IEEE arithmetic: link dformer::cpu, or compile this source without -ffast-math"
#endif

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

#if defined(DFORMER_KERNELS_FOR) && !defined(DFORMER_GRADIENT_KERNELS)
template const KernelTable<DFORMER_KERNELS_FOR>& kernels<DFORMER_KERNELS_FOR>(Isa);
#endif

}  // namespace dformer::cpu

#endif  // DFORMER_PRECOMPILED
