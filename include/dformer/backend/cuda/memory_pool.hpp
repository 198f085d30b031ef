#pragma once

#include <cstddef>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include <dformer/backend/cuda/errors.hpp>
#include <dformer/backend/cuda/runtime.hpp>
#include <dformer/core/memory_use.hpp>

namespace dformer::cuda {

/// Keeps freed blocks by size and hands them out again. All that uses them is started on one stream, so a
/// block may be handed out while its last user still runs: the next one is started behind it. Nothing waits,
/// and a network that has run once at a size takes nothing from the GPU again.
class MemoryPool {
 public:
  static constexpr std::size_t alignment = 256;

  explicit MemoryPool(int ordinal) : ordinal_(ordinal) {}
  MemoryPool(const MemoryPool&) = delete;
  MemoryPool& operator=(const MemoryPool&) = delete;
  /// Waits for what the GPU still does.
  ~MemoryPool() { trim(); }

  struct Block {
    void* memory;
    std::size_t bytes;
  };

  /// Throws: CudaOutOfMemory, after kept blocks were given back in vain.
  Block allocate(std::size_t bytes) {
    const std::size_t size = rounded(bytes);
    const std::lock_guard lock(mutex_);
    std::vector<void*>& free = free_[size];
    void* memory = nullptr;
    if (!free.empty()) {
      memory = free.back();
      free.pop_back();
    } else {
      memory = take(size);
      use_.reserved += size;
    }
    use_.in_use += size;
    if (use_.in_use > use_.peak) use_.peak = use_.in_use;
    return {memory, size};
  }

  void release(Block block) noexcept {
    const std::lock_guard lock(mutex_);
    free_[block.bytes].push_back(block.memory);
    use_.in_use -= block.bytes;
  }

  /// Gives every unused block back to the GPU, which waits for what it still does.
  void trim() noexcept {
    const std::lock_guard lock(mutex_);
    give_back();
  }

  MemoryUse use() const {
    const std::lock_guard lock(mutex_);
    return use_;
  }
  void reset_peak() {
    const std::lock_guard lock(mutex_);
    use_.peak = use_.in_use;
  }

 private:
  /// Small sizes to the next multiple of the alignment, larger ones to an eighth of their power of two.
  static std::size_t rounded(std::size_t bytes) {
    std::size_t step = alignment;
    while (step * 16 <= bytes) step *= 2;
    return bytes == 0 ? alignment : (bytes + step - 1) / step * step;
  }

  void* take(std::size_t size) {
    if (void* memory = runtime::allocate(ordinal_, size)) return memory;
    give_back();  // cudaFree waits for what the GPU still does
    if (void* memory = runtime::allocate(ordinal_, size)) return memory;
    throw CudaOutOfMemory("[cuda] GPU " + std::to_string(ordinal_) + " has no " + std::to_string(size >> 20) +
                          " MiB left (" + std::to_string(runtime::free_memory(ordinal_) >> 20) +
                          " MiB are free, this device object holds " + std::to_string(use_.in_use >> 20) +
                          " MiB); use a smaller batch or image, half precision, or checkpointed blocks");
  }
  void give_back() noexcept {
    for (auto& [size, blocks] : free_) {
      for (void* memory : blocks) {
        runtime::release(ordinal_, memory);
        use_.reserved -= size;
      }
      blocks.clear();
    }
  }

  int ordinal_;
  mutable std::mutex mutex_;
  std::map<std::size_t, std::vector<void*>> free_;
  MemoryUse use_;
};

}  // namespace dformer::cuda
