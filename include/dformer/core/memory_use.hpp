#pragma once

#include <cstddef>

namespace dformer {

/// What a device has taken from its system or GPU, in bytes.
struct MemoryUse {
  std::size_t in_use = 0;    ///< held by tensors now
  std::size_t peak = 0;      ///< the most that tensors held at one time
  std::size_t reserved = 0;  ///< held by tensors or kept for the next ones
};

}  // namespace dformer
