#pragma once

#include <cstdint>

namespace dformer {

/// The 16-bit floating-point types that tensors may hold. They only store: arithmetic is done in float.
/// Conversions are in <dformer/core/dtype.hpp>; this header is C++17, for what is compiled for GPUs.
struct half {
  std::uint16_t bits;  ///< IEEE binary16
};
struct bfloat16 {
  std::uint16_t bits;  ///< the upper half of a float
};

}  // namespace dformer
