#pragma once

#include <cstdint>
#include <string_view>

namespace dformer::cpu {

/// The instruction sets the kernels are compiled for, all of them into every binary; which one runs is
/// decided when a device is made, from what the processor has. No compiler flag is needed, and none can make
/// a binary that fails on another machine. `baseline` is whatever the compiler was told to assume (SSE2 on
/// x86-64, NEON on AArch64).
enum class Isa : std::uint8_t { baseline, avx2, avx512 };

constexpr std::string_view to_string(Isa isa) {
  switch (isa) {
    case Isa::baseline:
      return "baseline";
    case Isa::avx2:
      return "avx2";
    case Isa::avx512:
      return "avx512";
  }
  return "?";
}

/// The best set that this processor has and the kernels use.
inline Isa best_isa() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl")) {
    return Isa::avx512;
  }
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return Isa::avx2;
#endif
  return Isa::baseline;
}

}  // namespace dformer::cpu
