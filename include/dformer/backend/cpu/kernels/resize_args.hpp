#pragma once

#include <cstdint>

namespace dformer::cpu {

/// Where one output row (or column) lies between two input rows: first + weight * (second - first).
struct ResizeTap {
  std::int32_t first;
  std::int32_t second;
  float weight;
};

/// Bilinear interpolation of x [N, height, width, channels], given the taps of each axis. A task is an output
/// row.
template <class T>
struct ResizeArgs {
  const T* x;
  T* y;
  const ResizeTap* rows;
  const ResizeTap* columns;
  std::int64_t height;
  std::int64_t width;
  std::int64_t channels;
  std::int64_t y_height;
  std::int64_t y_width;
};

/// For each pixel of `logits` [pixels, classes] the class of the largest one, by how much it leads the second
/// largest (0 if there are two of them), and the largest absolute value. A task is a pixel.
template <class T>
struct TopClassArgs {
  const T* logits;
  std::uint8_t* label;
  T* lead;
  T* magnitude;
  std::int64_t classes;
};

/// Bilinear interpolation of logits [N, height, width, classes] and the first largest class of every output
/// pixel. `label`, `lead` and `magnitude` are those of the input pixels, from the kernel top_class. A task is
/// an input row: the output rows that start from it.
template <class T>
struct ResizeArgmaxArgs {
  static constexpr std::int64_t max_classes = 256;

  const T* logits;
  std::uint8_t* y;
  const ResizeTap* rows;
  const ResizeTap* columns;
  const std::uint8_t* label;
  const T* lead;
  const T* magnitude;
  std::int64_t height;
  std::int64_t width;
  std::int64_t classes;
  std::int64_t y_height;
  std::int64_t y_width;
};

}  // namespace dformer::cpu
