#pragma once

#include <cstdint>

namespace dformer::cpu {

/// y = sigmoid(scale * sum_c x * spatial) * x * channel for rows of `channels` elements, of which every
/// `rows_of_image` share a row of `spatial` and of `channel`. A task is a row.
template <class T>
struct GateArgs {
  const T* x;
  const T* spatial;  // [images, channels]
  const T* channel;  // [images, channels]
  T* y;
  std::int64_t rows_of_image;
  std::int64_t channels;
  T scale;
};

}  // namespace dformer::cpu
