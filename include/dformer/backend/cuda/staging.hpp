#pragma once

#include <cstddef>
#include <cstring>
#include <deque>
#include <string>
#include <vector>

#include <dformer/backend/cuda/errors.hpp>
#include <dformer/backend/cuda/runtime.hpp>

namespace dformer::cuda {

/// Pinned memory through which values go between the host's arrays and a device: the host's memory is free
/// again when a call returns, though the copy goes on. A training step makes a hundred small uploads, each
/// behind all that was started before; so that the host need not wait for them, every one has a block of its
/// own until the next download, which waits for all.
class Staging {
 public:
  /// More copies or bytes than these under way make the host wait for the oldest.
  static constexpr std::size_t most_copies = 1024;
  static constexpr std::size_t most_bytes = std::size_t{1} << 27;

  explicit Staging(int ordinal) : ordinal_(ordinal) {}
  Staging(const Staging&) = delete;
  Staging& operator=(const Staging&) = delete;
  /// The device must have done all that was started.
  ~Staging() {
    for (Block& block : free_) destroy(block);
    for (Block& block : copying_) destroy(block);
  }

  /// Starts a copy of host memory to the device. Throws: CudaError while a graph is captured, which could not
  /// know the values that the host will have when it is replayed.
  void upload(void* to, const void* from, std::size_t bytes, Stream stream) {
    require_no_capture(stream);
    Block block = take(bytes);
    std::memcpy(block.memory, from, bytes);
    runtime::copy_to_device(to, block.memory, bytes, stream);
    runtime::record(block.copied, stream);
    bytes_copying_ += block.bytes;
    copying_.push_back(block);
  }

  /// Copies from the device once all that was started before is done, and waits for that. Throws: as upload.
  void download(void* to, const void* from, std::size_t bytes, Stream stream) {
    require_no_capture(stream);
    const Block block = take(bytes);
    runtime::copy_to_host(block.memory, from, bytes, stream);
    runtime::synchronize(stream);
    std::memcpy(to, block.memory, bytes);
    free_.push_back(block);
    while (!copying_.empty()) wait_for_oldest();  // not at all, unless one is on another stream
  }

 private:
  struct Block {
    void* memory = nullptr;
    std::size_t bytes = 0;
    runtime::Event copied = nullptr;
  };

  static void require_no_capture(Stream stream) {
    if (!runtime::is_capturing(stream)) return;
    throw CudaError("[cuda] a captured network cannot take values from the host, or give it any, midway");
  }
  static void destroy(Block& block) {
    runtime::destroy_event(block.copied);
    runtime::release_pinned(block.memory);
  }

  void wait_for_oldest() {
    runtime::wait_for(copying_.front().copied);
    bytes_copying_ -= copying_.front().bytes;
    free_.push_back(copying_.front());
    copying_.pop_front();
  }

  /// The smallest free block that is large enough and not far too large, or a new one.
  Block take(std::size_t bytes) {
    while (!copying_.empty() && (copying_.size() >= most_copies || bytes_copying_ + bytes > most_bytes)) {
      wait_for_oldest();
    }
    const std::size_t size = rounded(bytes);
    auto best = free_.end();
    for (auto block = free_.begin(); block != free_.end(); ++block) {
      if (block->bytes >= size && block->bytes <= 2 * size &&
          (best == free_.end() || block->bytes < best->bytes))
        best = block;
    }
    if (best == free_.end()) return create(size);
    const Block block = *best;
    *best = free_.back();
    free_.pop_back();
    return block;
  }

  Block create(std::size_t bytes) {
    Block block{runtime::allocate_pinned(bytes), bytes, nullptr};
    if (block.memory == nullptr) {
      for (Block& each : free_) destroy(each);
      free_.clear();
      block.memory = runtime::allocate_pinned(bytes);
    }
    if (block.memory == nullptr) {
      throw CudaError("[cuda] the host has no " + std::to_string(bytes >> 20) + " MiB of pinned memory left");
    }
    block.copied = runtime::create_event(ordinal_);
    return block;
  }

  /// To a power of two up to a MiB, then to a MiB.
  static std::size_t rounded(std::size_t bytes) {
    constexpr std::size_t least = 4096, large = std::size_t{1} << 20;
    if (bytes > large) return (bytes + large - 1) / large * large;
    std::size_t size = least;
    while (size < bytes) size *= 2;
    return size;
  }

  int ordinal_;
  std::vector<Block> free_;
  std::deque<Block> copying_;  ///< in the order in which they were started
  std::size_t bytes_copying_ = 0;
};

}  // namespace dformer::cuda
