#pragma once

// How the kernel sources are compiled once for each instruction set within one translation unit. Only here
// are macros needed: compiler targets are pragmas.

#define DFORMER_ALWAYS_INLINE [[gnu::always_inline]] inline
#define DFORMER_UNROLL _Pragma("GCC unroll 32")

// clang-format off
#if defined(__clang__)
#define DFORMER_TARGET_AVX2_BEGIN _Pragma("clang attribute push(__attribute__((target(\"avx2,fma\"))), apply_to = function)")
#define DFORMER_TARGET_AVX512_BEGIN _Pragma("clang attribute push(__attribute__((target(\"avx512f,avx512dq,avx512bw,avx512vl,avx2,fma\"))), apply_to = function)")
#define DFORMER_TARGET_END _Pragma("clang attribute pop")
#else
#define DFORMER_TARGET_AVX2_BEGIN _Pragma("GCC push_options") _Pragma("GCC target(\"avx2,fma\")")
#define DFORMER_TARGET_AVX512_BEGIN _Pragma("GCC push_options") _Pragma("GCC target(\"avx512f,avx512dq,avx512bw,avx512vl,avx2,fma\")")
#define DFORMER_TARGET_END _Pragma("GCC pop_options")
#endif
// clang-format on
