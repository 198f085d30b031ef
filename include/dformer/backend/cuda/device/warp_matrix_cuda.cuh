#pragma once

// The tensor cores' part of the kernels' language for nvcc (warp_matrix.cuh). GPUs before compute
// capability 8.0 are never sent here.

#include <type_traits>

#include <dformer/backend/cuda/device/language.cuh>

namespace dformer::cuda::device {

/// sums += a b, of [16, 16] by [16, 8] in half or bfloat16.
template <class T>
__device__ __forceinline__ void multiply_add_16_bit(const std::uint32_t (&a)[4], const std::uint32_t (&b)[2],
                                                    float (&sums)[4]) {
#if __CUDA_ARCH__ >= 800
  if constexpr (std::is_same_v<T, half>) {
    asm("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
        "{%0, %1, %2, %3};"
        : "+f"(sums[0]), "+f"(sums[1]), "+f"(sums[2]), "+f"(sums[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
  } else {
    asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
        "{%0, %1, %2, %3};"
        : "+f"(sums[0]), "+f"(sums[1]), "+f"(sums[2]), "+f"(sums[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
  }
#else
  __trap();
#endif
}

/// sums += a b, of [16, 8] by [8, 8] in TF32.
__device__ __forceinline__ void multiply_add_tf32(const std::uint32_t (&a)[4], const std::uint32_t (&b)[2],
                                                  float (&sums)[4]) {
#if __CUDA_ARCH__ >= 800
  asm("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, "
      "%1, %2, %3};"
      : "+f"(sums[0]), "+f"(sums[1]), "+f"(sums[2]), "+f"(sums[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#else
  __trap();
#endif
}

/// The nearest value with 10 bits of fraction.
__device__ __forceinline__ std::uint32_t tf32_bits(float x) {
#if __CUDA_ARCH__ >= 800
  std::uint32_t bits;
  asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(bits) : "f"(x));
  return bits;
#else
  return __float_as_uint(x);
#endif
}

__device__ __forceinline__ std::uint32_t bits_of(float x) {
  return __float_as_uint(x);
}
__device__ __forceinline__ float float_of(std::uint32_t bits) {
  return __uint_as_float(bits);
}

/// Four matrices [8, 8] of 16 bits from shared memory: lane 8 i + r says where row r of matrix i begins, 16
/// bytes that are aligned to 16. registers[i]: of matrix i, row `group`, columns 2 place and the next; with
/// Turned column `group`, rows 2 place and the next.
template <bool Turned, class T>
__device__ __forceinline__ void load_matrices(const T* row, std::uint32_t (&registers)[4]) {
  const auto address = static_cast<std::uint32_t>(__cvta_generic_to_shared(row));
  if constexpr (Turned) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(registers[0]), "=r"(registers[1]), "=r"(registers[2]), "=r"(registers[3])
                 : "r"(address)
                 : "memory");
  } else {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(registers[0]), "=r"(registers[1]), "=r"(registers[2]), "=r"(registers[3])
                 : "r"(address)
                 : "memory");
  }
}

}  // namespace dformer::cuda::device
