#pragma once

// Copies from memory to shared memory that go on while a thread works (compute capability 8.0 and later;
// before, and in the emulation, they are done at once). A thread puts the copies it has started into groups
// and waits for its own; other threads see them behind a barrier that comes after the wait.

#include <dformer/backend/cuda/device/language.cuh>

namespace dformer::cuda::device {

/// Starts a copy of `Bytes`, 4, 8 or 16, which both addresses must be multiples of. Where it is not `valid`,
/// zeros are written and `from` is not read.
template <int Bytes>
__device__ __forceinline__ void copy_async(void* shared, const void* from, bool valid) {
  static_assert(Bytes == 4 || Bytes == 8 || Bytes == 16);
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
  const auto address = static_cast<std::uint32_t>(__cvta_generic_to_shared(shared));
  const int size = valid ? Bytes : 0;
  if constexpr (Bytes == 16) {
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(address), "l"(from), "r"(size)
                 : "memory");
  } else {
    asm volatile("cp.async.ca.shared.global [%0], [%1], %2, %3;" ::"r"(address), "l"(from), "n"(Bytes),
                 "r"(size)
                 : "memory");
  }
#else
  using Words = Pack<std::uint32_t, Bytes / 4>;
  *static_cast<Words*>(shared) = valid ? *static_cast<const Words*>(from) : Words{};
#endif
}

/// Puts the copies that this thread has started since the last group into a group, which may be empty.
__device__ __forceinline__ void commit_copies() {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
  asm volatile("cp.async.commit_group;" ::: "memory");
#endif
}

/// Waits until all groups of this thread but the last `Pending` are done.
template <int Pending>
__device__ __forceinline__ void wait_for_copies() {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
  asm volatile("cp.async.wait_group %0;" ::"n"(Pending) : "memory");
#endif
}

}  // namespace dformer::cuda::device
