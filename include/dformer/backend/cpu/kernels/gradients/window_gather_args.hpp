#pragma once

#include <cstdint>

#include <dformer/backend/cpu/kernels/gradients/tap_outputs.hpp>

namespace dformer::cpu {

/// The gradient of a convolution's input, from the products of dy with the weight: each pixel of an image
/// sums what the windows that reach it have for it. A task is a row of the image.
template <class T>
struct WindowGatherArgs {
  const T* products;  ///< for each line of the window [rows of dy][y_width][kernel * channels]
  std::int64_t line_elements;
  std::int64_t first_row;  ///< of the image: products of a line begin with the first output that reaches it
  Window window;
  std::int64_t width;
  std::int64_t channels;
  std::int64_t y_height;
  std::int64_t y_width;
  T* dx;  ///< the image, [height][width][channels]
};

}  // namespace dformer::cpu
