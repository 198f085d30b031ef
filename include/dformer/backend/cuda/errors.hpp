#pragma once

#include <dformer/core/error.hpp>

namespace dformer {

/// A GPU, its driver or one of its libraries refused something; the text has the call and what it answered.
class CudaError : public Error {
 public:
  using Error::Error;
};

/// A GPU has not as much memory as was asked for. What was allocated before stays usable.
class CudaOutOfMemory : public CudaError {
 public:
  using CudaError::CudaError;
};

/// cuBLASLt refused something.
class CublasError : public CudaError {
 public:
  using CudaError::CudaError;
};

/// cuDNN refused something, or has no algorithm for a convolution.
class CudnnError : public CudaError {
 public:
  using CudaError::CudaError;
};

}  // namespace dformer
