#pragma once

#include <cstdint>

#include <dformer/backend/cpu/kernels/gradients/grouped_rows.hpp>

namespace dformer::cpu {

/// y = x * scale, a scale for each channel. A task is a group of rows.
template <class T>
struct ScaleChannelsArgs {
  const T* x;
  const T* scale;  ///< [width]
  T* y;
  GroupedRows rows;
};

/// y = x * scale, a scale for each of the samples of `length` elements. A task is a block of a sample.
template <class T>
struct ScaleSamplesArgs {
  static constexpr std::int64_t block = 4096;

  const T* x;
  const T* scale;  ///< one for each sample
  T* y;
  std::int64_t length;

  std::int64_t blocks() const { return (length + block - 1) / block; }
};

/// dx = y * (dy - sum of y * dy) over rows of `channels` elements. A task is a row.
template <class T>
struct SoftmaxGradientArgs {
  const T* y;
  const T* dy;
  T* dx;
  std::int64_t channels;
};

}  // namespace dformer::cpu
