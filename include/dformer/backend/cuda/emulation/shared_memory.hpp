#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <new>

namespace dformer::cuda::emulation {

/// The dynamic shared memory of the running block: a heap block of exactly the bytes asked for, so that the
/// address sanitizer sees what is outside, and NaN in every type, so that what nobody wrote is seen in the
/// result.
class SharedMemory {
 public:
  static SharedMemory& current() {
    static SharedMemory memory;
    return memory;
  }

  void resize(std::size_t bytes) {
    if (bytes != bytes_) {
      memory_.reset(bytes == 0 ? nullptr : static_cast<std::byte*>(::operator new(bytes, alignment)));
      bytes_ = bytes;
    }
  }
  void forget() {
    if (bytes_ != 0) std::memset(memory_.get(), 0xff, bytes_);
  }
  std::byte* data() const { return memory_.get(); }

 private:
  static constexpr std::align_val_t alignment{16};
  struct Delete {
    void operator()(std::byte* memory) const { ::operator delete(memory, alignment); }
  };
  std::unique_ptr<std::byte, Delete> memory_;
  std::size_t bytes_ = 0;
};

}  // namespace dformer::cuda::emulation
