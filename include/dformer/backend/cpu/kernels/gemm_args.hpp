#pragma once

#include <cstdint>

#include <dformer/backend/cpu/kernels/epilogue_args.hpp>
#include <dformer/backend/cpu/packing.hpp>

namespace dformer::cpu {

/// y = epilogue(a * b), b as packing.hpp keeps weights. A task is a panel of b.
template <class T>
struct MatrixProductArgs {
  const T* a;  ///< [rows][depth]; may be null until the rows have been gathered
  const T* b;
  std::int64_t rows;
  std::int64_t depth;
  T* y;  ///< [rows][channels]
  std::int64_t channels;
  EpilogueArgs<T> epilogue;

  /// The product of the rows [begin, end) alone.
  MatrixProductArgs part(std::int64_t begin, std::int64_t end) const {
    const std::int64_t elements = begin * channels;
    return {a == nullptr ? a : a + begin * depth, b, end - begin, depth, y + elements, channels,
            epilogue.advanced(elements)};
  }
};

}  // namespace dformer::cpu
