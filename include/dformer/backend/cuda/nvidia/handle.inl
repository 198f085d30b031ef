#pragma once

#include <memory>
#include <string>
#include <type_traits>

#include <cublasLt.h>
#include <cudnn_graph.h>

#include <dformer/backend/cuda/errors.hpp>

namespace dformer::cuda::library {

/// Throws: CublasError unless `status` is success. `call` names what was called.
inline void require(const std::string& call, cublasStatus_t status) {
  if (status == CUBLAS_STATUS_SUCCESS) return;
  throw CublasError("[cuda] " + call + " failed: " + cublasLtGetStatusName(status) + ", " +
                    cublasLtGetStatusString(status));
}

/// Throws: CudnnError, with what cuDNN says of its last error.
inline void require(const std::string& call, cudnnStatus_t status) {
  if (status == CUDNN_STATUS_SUCCESS) return;
  char detail[1024] = "";
  cudnnGetLastErrorString(detail, sizeof detail);
  throw CudnnError("[cuda] " + call + " failed: " + cudnnGetErrorString(status) +
                   (detail[0] == '\0' ? "" : std::string(", ") + detail));
}

/// Owns what a library's create function gave; `destroy` is its counterpart.
template <auto destroy>
struct Destroy {
  template <class T>
  void operator()(T* handle) const noexcept {
    static_cast<void>(destroy(handle));
  }
};
template <class Pointer, auto destroy>
using Handle = std::unique_ptr<std::remove_pointer_t<Pointer>, Destroy<destroy>>;

}  // namespace dformer::cuda::library
