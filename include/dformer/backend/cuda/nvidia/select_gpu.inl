#pragma once

#include <cuda_runtime_api.h>

namespace dformer::cuda {

/// As runtime::make_current, for what must not throw. The GPU that was current before is never restored: that
/// would make a context on it, half a gigabyte on GPU 0, where the program uses another one only.
inline void select_gpu(int ordinal) noexcept {
  int current = -1;
  if (cudaGetDevice(&current) == cudaSuccess && current == ordinal) return;
  if (cudaSetDevice(ordinal) != cudaSuccess) static_cast<void>(cudaGetLastError());
}

}  // namespace dformer::cuda
