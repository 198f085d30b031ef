#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <mutex>
#include <new>

#include <sys/mman.h>

#include <dformer/core/memory_use.hpp>

namespace dformer::cpu {

/// Keeps freed blocks by size class (eight classes to the power of two, so at most an eighth is slack) and
/// hands them out again. A program that repeats a sequence of allocations, as a network does from image to
/// image, takes nothing from the heap after the first time: a block of a class is only ever reused for that
/// class.
class MemoryPool {
 public:
  static constexpr std::size_t alignment = 64;

  MemoryPool() = default;
  MemoryPool(const MemoryPool&) = delete;
  MemoryPool& operator=(const MemoryPool&) = delete;
  ~MemoryPool() { trim(); }

  struct Block {
    void* memory;
    std::size_t bytes;
  };

  /// At least `bytes` bytes, aligned for vectors. Throws: std::bad_alloc.
  Block allocate(std::size_t bytes) {
    const int index = class_of(bytes);
    if (static_cast<std::size_t>(index) >= free_.size()) throw std::bad_alloc();
    const std::size_t size = size_of_class(index);
    const std::lock_guard lock(mutex_);
    auto& list = free_[static_cast<std::size_t>(index)];
    void* memory = list;
    if (memory != nullptr) {
      list = list->next;
    } else {
      memory = take_from_system(size);
      use_.reserved += taken_from_system(size);
    }
    use_.in_use += size;
    use_.peak = std::max(use_.peak, use_.in_use);
    return {memory, size};
  }

  void release(Block block) noexcept {
    const std::lock_guard lock(mutex_);
    auto& list = free_[static_cast<std::size_t>(class_of(block.bytes))];
    list = new (block.memory) FreeBlock{list};
    use_.in_use -= block.bytes;
  }

  /// Gives every unused block back to the system.
  void trim() noexcept {
    const std::lock_guard lock(mutex_);
    for (std::size_t i = 0; i < free_.size(); ++i) {
      while (free_[i] != nullptr) {
        FreeBlock* block = free_[i];
        free_[i] = block->next;
        std::free(block);
        use_.reserved -= taken_from_system(size_of_class(static_cast<int>(i)));
      }
    }
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
  struct FreeBlock {
    FreeBlock* next;
  };
  static constexpr int steps_log2 = 3;
  static constexpr std::size_t smallest = 256;
  static constexpr std::size_t huge_page = std::size_t{2} << 20;

  // Class i has size (8 + i % 8) * 2^(i / 8) * smallest / 8.
  static constexpr std::size_t size_of_class(int index) {
    return ((std::size_t{1} << steps_log2) + static_cast<std::size_t>(index & 7))
           << (index >> steps_log2) << 5;
  }
  static_assert((std::size_t{1} << steps_log2) << 5 == smallest);

  static constexpr int class_of(std::size_t bytes) {
    if (bytes <= smallest) return 0;
    const std::size_t units = (bytes - 1) >> 5;  // in eighths of `smallest`, rounded down: >= 8
    const int shift = static_cast<int>(std::bit_width(units)) - 1 - steps_log2;
    return (shift << steps_log2) + static_cast<int>((units >> shift) & 7) + 1;
  }

  static std::size_t alignment_of(std::size_t size) { return size >= 2 * huge_page ? huge_page : alignment; }
  static std::size_t taken_from_system(std::size_t size) {
    const std::size_t align = alignment_of(size);
    return (size + align - 1) / align * align;
  }
  static void* take_from_system(std::size_t size) {
    void* memory = std::aligned_alloc(alignment_of(size), taken_from_system(size));
    if (memory == nullptr) throw std::bad_alloc();
#if defined(MADV_HUGEPAGE)
    if (alignment_of(size) == huge_page) madvise(memory, size, MADV_HUGEPAGE);
#endif
    return memory;
  }

  mutable std::mutex mutex_;
  std::array<FreeBlock*, 8 * 40> free_{};
  MemoryUse use_;
};

}  // namespace dformer::cpu
