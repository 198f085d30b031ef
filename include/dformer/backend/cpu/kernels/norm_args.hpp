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

/// y = (x - mean) / sqrt(variance + eps) * weight + bias over rows of `channels` elements, each with its own
/// mean and biased variance. A task is a row.
template <class T>
struct LayerNormArgs {
  const T* x;
  const T* weight;
  const T* bias;
  T* y;
  std::int64_t channels;
  T eps;
};

}  // namespace dformer::cpu
