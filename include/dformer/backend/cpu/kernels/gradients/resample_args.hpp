#pragma once

#include <cstdint>

namespace dformer::cpu {

/// Which rows (or columns) of a result an input row took part in: `count` of them from `first` on, with
/// weights that stand at `weights` in an array.
struct ResampleSpan {
  std::int32_t first;
  std::int32_t count;
  std::int32_t weights;
};

/// dx [N, height, width, channels] of a result y that is a weighted sum of rows, and of columns, of x: each
/// input pixel gathers from those pixels of dy that it took part in. A task is an input pixel.
template <class T>
struct ResampleGradientArgs {
  const T* dy;
  T* dx;
  const ResampleSpan* rows;     ///< [height]
  const ResampleSpan* columns;  ///< [width]
  const T* row_weights;
  const T* column_weights;
  std::int64_t height;
  std::int64_t width;
  std::int64_t channels;
  std::int64_t y_height;
  std::int64_t y_width;
};

}  // namespace dformer::cpu
