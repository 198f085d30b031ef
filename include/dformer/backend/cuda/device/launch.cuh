#pragma once

#include <cstddef>
#include <cstdint>

#include <dformer/backend/cuda/device/language.cuh>
#include <dformer/backend/cuda/stream.hpp>

#if defined(__CUDACC__)
#include <dformer/backend/cuda/runtime.hpp>
#else
#include <dformer/backend/cuda/emulation/launch.hpp>
#endif

namespace dformer::cuda::device {

/// How many blocks of how many threads, and bytes of dynamic_shared for each block. `x` may be up to 2^31 -
/// 1, `y` and `z` up to 65535; threads a multiple of 32.
struct Grid {
  std::int64_t x;
  int threads;
  std::size_t shared_bytes = 0;
  int y = 1;
  int z = 1;
};

/// The blocks that `count` elements make.
constexpr std::int64_t blocks_of(std::int64_t count, std::int64_t each) {
  return (count + each - 1) / each;
}

/// A grid for kernels that walk over `count` elements in steps of global_threads(): as many threads as there
/// are elements, and no more blocks than keep a large GPU busy.
constexpr Grid elementwise_grid(std::int64_t count) {
  constexpr int threads = 256;
  constexpr std::int64_t most_blocks = 4096;
  const std::int64_t blocks = blocks_of(count, threads);
  return {blocks < most_blocks ? blocks : most_blocks, threads};
}

/// Starts a kernel on a stream. A grid without blocks starts nothing. Throws: CudaError for a launch that the
/// device refuses.
template <class Args>
void launch(const char* name, void (*kernel)(Args), const Grid& grid, Stream stream, const Args& args) {
  if (grid.x <= 0 || grid.y <= 0 || grid.z <= 0) return;
#if defined(__CUDACC__)
  const auto native = reinterpret_cast<cudaStream_t>(stream);
  if (grid.shared_bytes > 48 * 1024) {
    runtime::check(name, cudaFuncSetAttribute(reinterpret_cast<const void*>(kernel),
                                              cudaFuncAttributeMaxDynamicSharedMemorySize,
                                              static_cast<int>(grid.shared_bytes)));
  }
  kernel<<<dim3(static_cast<unsigned>(grid.x), grid.y, grid.z), grid.threads, grid.shared_bytes, native>>>(
      args);
  runtime::check(name, cudaGetLastError());
#else
  emulation::launch(
      name, kernel,
      {static_cast<unsigned>(grid.x), static_cast<unsigned>(grid.y), static_cast<unsigned>(grid.z)},
      grid.threads, grid.shared_bytes, stream, args);
#endif
}

}  // namespace dformer::cuda::device
