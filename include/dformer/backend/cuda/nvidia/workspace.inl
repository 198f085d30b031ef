#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <dformer/backend/cuda/errors.hpp>
#include <dformer/backend/cuda/runtime.hpp>

namespace dformer::cuda::library {

/// Memory that algorithms of the libraries use while they run, one at a time on a stream. What has once been
/// handed out stays until the end, as captured graphs name it; each larger one is twice as large, so that all
/// together are less than twice the largest.
class Workspace {
 public:
  Workspace(int ordinal, std::function<void()> give_back)
      : ordinal_(ordinal), give_back_(std::move(give_back)) {}
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;
  ~Workspace() {
    for (void* block : blocks_) runtime::release(ordinal_, block);
  }

  /// Throws: CudaOutOfMemory.
  void* reserve(std::size_t bytes) {
    if (bytes == 0) return nullptr;
    if (bytes <= size_) return blocks_.back();
    std::size_t size = std::size_t{32} << 20;
    while (size < bytes) size *= 2;
    blocks_.reserve(blocks_.size() + 1);
    void* memory = runtime::allocate(ordinal_, size);
    if (memory == nullptr) {
      give_back_();
      memory = runtime::allocate(ordinal_, size);
    }
    if (memory == nullptr) {
      throw CudaOutOfMemory("[cuda] GPU " + std::to_string(ordinal_) + " has no " +
                            std::to_string(size >> 20) + " MiB left for the workspace of a product or " +
                            "convolution; use a smaller batch or image");
    }
    blocks_.push_back(memory);
    size_ = size;
    return memory;
  }

 private:
  int ordinal_;
  std::function<void()> give_back_;
  std::size_t size_ = 0;
  std::vector<void*> blocks_;
};

}  // namespace dformer::cuda::library
