#pragma once

#include <cstdint>

namespace dformer::cpu {

/// y = x * scale + shift over rows of `channels` elements. A task is a row.
template <class T>
struct ScaleShiftArgs {
  const T* x;
  const T* scale;
  const T* shift;
  T* y;
  std::int64_t channels;
};

}  // namespace dformer::cpu
