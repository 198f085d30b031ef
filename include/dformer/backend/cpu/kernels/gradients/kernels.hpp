#pragma once

// The definitions of the CPU's gradient kernels, for every instruction set; compiled as kernels/kernels.hpp
// says.

#include <dformer/backend/cpu/kernels/gradients/table.hpp>
#include <dformer/backend/cpu/kernels/kernels.hpp>

#if !defined(DFORMER_PRECOMPILED)

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpsabi"  // no vector crosses a call that is not inlined
#endif

namespace dformer::cpu::baseline {
#include <dformer/backend/cpu/kernels/gradients/all.inl>
}  // namespace dformer::cpu::baseline

#if defined(__x86_64__)
DFORMER_TARGET_AVX2_BEGIN
namespace dformer::cpu::avx2 {
#include <dformer/backend/cpu/kernels/gradients/all.inl>
}  // namespace dformer::cpu::avx2
DFORMER_TARGET_END

DFORMER_TARGET_AVX512_BEGIN
namespace dformer::cpu::avx512 {
#include <dformer/backend/cpu/kernels/gradients/all.inl>
}  // namespace dformer::cpu::avx512
DFORMER_TARGET_END
#endif

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

namespace dformer::cpu {

template <class T>
const GradientTable<T>& gradient_kernels(Isa isa) {
#if defined(__x86_64__)
  if (isa == Isa::avx512) return avx512::gradient_table<T>;
  if (isa == Isa::avx2) return avx2::gradient_table<T>;
#endif
  static_cast<void>(isa);
  return baseline::gradient_table<T>;
}

#if defined(DFORMER_KERNELS_FOR)
template const GradientTable<DFORMER_KERNELS_FOR>& gradient_kernels<DFORMER_KERNELS_FOR>(Isa);
#endif

}  // namespace dformer::cpu

#endif  // DFORMER_PRECOMPILED
