#pragma once

#include <cstdint>

#include <dformer/backend/cpu/kernels/epilogue_args.hpp>
#include <dformer/backend/cpu/packing.hpp>

namespace dformer::cpu {

/// y = epilogue(a * b) for a block of rows; b as packing.hpp keeps weights. A task is a panel of b.
template <class T>
struct MatrixProductArgs {
  const T* a;  ///< [rows][depth], rows `a_stride` elements apart
  std::int64_t a_stride;
  const T* b;
  std::int64_t rows;
  std::int64_t depth;
  T* y;  ///< [rows][channels]
  std::int64_t channels;
  EpilogueArgs<T> epilogue;
};

}  // namespace dformer::cpu
