#pragma once

#include <cstdint>

#include <dformer/backend/cpu/kernels/gradients/grouped_rows.hpp>

namespace dformer::cpu {

/// dx, and each slice's sums for the gradients of weight and bias, of a layer norm over rows of `channels`
/// elements. A task is a slice of the rows.
template <class T>
struct LayerNormGradientArgs {
  const T* x;
  const T* weight;
  const T* dy;
  T* dx;
  T* sums;  ///< [slices, 2, channels]
  std::int64_t rows;
  std::int64_t channels;
  std::int64_t slices;
  T eps;
};

/// dx = scale * dy + (slope * (x - mean) + shift), all of them [width] but x, dy, dx. A task is a group of
/// rows.
template <class T>
struct BatchNormGradientArgs {
  const T* x;
  const T* dy;
  T* dx;
  const T* scale;
  const T* slope;
  const T* mean;
  const T* shift;
  GroupedRows rows;
};

}  // namespace dformer::cpu
