#pragma once

#include <cstddef>
#include <cstdint>
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
///
/// Where branches of a computation go on side by side, a block that one of them frees is handed out again
/// only in that branch, if it was made there: another may still read older ones. All others wait for the
/// branches' end.
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
    std::uint64_t branch;  ///< that it was made in; 0: none
  };

  /// While one lives, what goes on is cut into branches, each from a begin() on.
  class Branches {
   public:
    explicit Branches(MemoryPool& pool) : pool_(pool) {
      const std::lock_guard lock(pool.mutex_);
      pool.branching_ = true;
    }
    Branches(const Branches&) = delete;
    Branches& operator=(const Branches&) = delete;
    void begin() {
      const std::lock_guard lock(pool_.mutex_);
      pool_.hold_back_branch();
      pool_.branch_ = ++pool_.branches_;
    }
    ~Branches() {
      const std::lock_guard lock(pool_.mutex_);
      pool_.hold_back_branch();
      for (auto& [size, blocks] : pool_.held_back_) {
        std::vector<void*>& free = pool_.free_[size];
        free.insert(free.end(), blocks.begin(), blocks.end());
        blocks.clear();
      }
      pool_.branching_ = false;
      pool_.branch_ = 0;
    }

   private:
    MemoryPool& pool_;
  };

  /// Throws: CudaOutOfMemory, after kept blocks were given back in vain.
  Block allocate(std::size_t bytes) {
    const std::size_t size = rounded(bytes);
    const std::lock_guard lock(mutex_);
    void* memory = taken_from(free_of_branch_, size);
    if (memory == nullptr) memory = taken_from(free_, size);
    if (memory == nullptr) {
      memory = take(size);
      use_.reserved += size;
    }
    use_.in_use += size;
    if (use_.in_use > use_.peak) use_.peak = use_.in_use;
    return {memory, size, branch_};
  }

  void release(Block block) noexcept {
    const std::lock_guard lock(mutex_);
    Blocks& to = !branching_ ? free_ : block.branch == branch_ ? free_of_branch_ : held_back_;
    to[block.bytes].push_back(block.memory);
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
  using Blocks = std::map<std::size_t, std::vector<void*>>;

  /// Null where there is none.
  static void* taken_from(Blocks& blocks, std::size_t size) {
    const auto found = blocks.find(size);
    if (found == blocks.end() || found->second.empty()) return nullptr;
    void* const memory = found->second.back();
    found->second.pop_back();
    return memory;
  }
  void hold_back_branch() {
    for (auto& [size, blocks] : free_of_branch_) {
      std::vector<void*>& held = held_back_[size];
      held.insert(held.end(), blocks.begin(), blocks.end());
      blocks.clear();
    }
  }
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
    for (Blocks* unused : {&free_, &free_of_branch_, &held_back_}) {
      for (auto& [size, blocks] : *unused) {
        for (void* memory : blocks) {
          runtime::release(ordinal_, memory);
          use_.reserved -= size;
        }
        blocks.clear();
      }
    }
  }

  int ordinal_;
  mutable std::mutex mutex_;
  Blocks free_;
  Blocks free_of_branch_;
  Blocks held_back_;  ///< until the branches' end
  bool branching_ = false;
  std::uint64_t branch_ = 0;    ///< the one that goes on now; 0: none
  std::uint64_t branches_ = 0;  ///< until now
  MemoryUse use_;
};

}  // namespace dformer::cuda
