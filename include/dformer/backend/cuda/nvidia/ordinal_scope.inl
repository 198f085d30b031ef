#pragma once

#include <cuda_runtime_api.h>

namespace dformer::cuda {

/// Makes a GPU the current one of this thread, and the one before current again at the end.
class OrdinalScope {
 public:
  explicit OrdinalScope(int ordinal) noexcept {
    if (cudaGetDevice(&before_) != cudaSuccess) before_ = -1;
    if (before_ == ordinal) {
      before_ = -1;  // nothing to change, nothing to change back
      return;
    }
    static_cast<void>(cudaSetDevice(ordinal));
  }
  OrdinalScope(const OrdinalScope&) = delete;
  OrdinalScope& operator=(const OrdinalScope&) = delete;
  ~OrdinalScope() {
    if (before_ >= 0) static_cast<void>(cudaSetDevice(before_));
  }

 private:
  int before_ = -1;
};

}  // namespace dformer::cuda
