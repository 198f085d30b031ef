#pragma once

#include <array>
#include <cstddef>
#include <cstring>
#include <string>

#include <dformer/backend/cuda/errors.hpp>
#include <dformer/backend/cuda/runtime.hpp>

namespace dformer::cuda {

/// Pinned memory through which values go between the host's arrays and a device: the host's memory is free
/// again when a call returns, though the copy goes on.
class Staging {
 public:
  explicit Staging(int ordinal) {
    for (Slot& slot : slots_) slot.copied = runtime::create_event(ordinal);
  }
  Staging(const Staging&) = delete;
  Staging& operator=(const Staging&) = delete;
  ~Staging() {
    for (Slot& slot : slots_) {
      runtime::destroy_event(slot.copied);
      runtime::release_pinned(slot.memory);
    }
  }

  /// Starts a copy of host memory to the device. Throws: CudaError while a graph is captured, which could not
  /// know the values that the host will have when it is replayed.
  void upload(void* to, const void* from, std::size_t bytes, Stream stream) {
    require_no_capture(stream);
    Slot& slot = slots_[next_++ % slots_.size()];
    slot.reserve(bytes);
    std::memcpy(slot.memory, from, bytes);
    runtime::copy_to_device(to, slot.memory, bytes, stream);
    runtime::record(slot.copied, stream);
    slot.in_use = true;
  }

  /// Copies from the device once all that was started before is done, and waits for that. Throws: as upload.
  void download(void* to, const void* from, std::size_t bytes, Stream stream) {
    require_no_capture(stream);
    Slot& slot = slots_[next_++ % slots_.size()];
    slot.reserve(bytes);
    runtime::copy_to_host(slot.memory, from, bytes, stream);
    runtime::synchronize(stream);
    std::memcpy(to, slot.memory, bytes);
  }

 private:
  static void require_no_capture(Stream stream) {
    if (!runtime::is_capturing(stream)) return;
    throw CudaError("[cuda] a captured network cannot take values from the host, or give it any, midway");
  }

  struct Slot {
    void* memory = nullptr;
    std::size_t bytes = 0;
    bool in_use = false;
    runtime::Event copied = nullptr;

    /// Room for that many bytes, once the last copy from here is done.
    void reserve(std::size_t wanted) {
      if (in_use) runtime::wait_for(copied);
      in_use = false;
      if (wanted <= bytes) return;
      runtime::release_pinned(memory);
      memory = nullptr;
      bytes = 0;
      memory = runtime::allocate_pinned(wanted);
      if (memory == nullptr) {
        throw CudaError("[cuda] the host has no " + std::to_string(wanted >> 20) +
                        " MiB of pinned memory left");
      }
      bytes = wanted;
    }
  };

  std::array<Slot, 2> slots_;
  std::size_t next_ = 0;
};

}  // namespace dformer::cuda
