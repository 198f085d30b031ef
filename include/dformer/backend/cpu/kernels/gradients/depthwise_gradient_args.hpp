#pragma once

#include <cstdint>

#include <dformer/backend/cpu/kernels/gradients/tap_outputs.hpp>

namespace dformer::cpu {

/// The gradient of a depthwise convolution's input. A task is a row of an image of dx.
template <class T>
struct DepthwiseInputArgs {
  const T* dy;      ///< [N][y_height][y_width][channels]
  const T* weight;  ///< [kernel * kernel][channels]
  T* dx;            ///< [N][height][width][channels]
  Window window;
  std::int64_t height;
  std::int64_t width;
  std::int64_t channels;
  std::int64_t y_height;
  std::int64_t y_width;
};

/// The gradient of a depthwise convolution's weight in parts: the rows of all images of dy are cut into
/// slices, and their columns into segments. A task is a block of channels of a part.
template <class T>
struct DepthwiseWeightArgs {
  const T* x;   ///< [images][height][width][channels]
  const T* dy;  ///< [images][y_height][y_width][channels]
  T* sums;      ///< [slices][segments][kernel * kernel][channels]
  Window window;
  std::int64_t images;
  std::int64_t height;
  std::int64_t width;
  std::int64_t channels;
  std::int64_t y_height;
  std::int64_t y_width;
  std::int64_t slices = 1;
  std::int64_t segments = 1;
  std::int64_t blocks = 1;
  std::int64_t block = 0;  ///< channels of a block, but for the last

  std::int64_t parts() const { return slices * segments; }
  std::int64_t tasks() const { return parts() * blocks; }
};

}  // namespace dformer::cpu
