#pragma once

#include <cstdint>

#include <dformer/backend/cpu/kernels/epilogue_args.hpp>
#include <dformer/backend/window.hpp>

namespace dformer::cpu {

/// Depthwise convolution of x [N, height, width, channels] by weight [k * k][channels]. A task is an output
/// row.
template <class T>
struct DepthwiseArgs {
  const T* x;
  const T* weight;
  T* y;
  EpilogueArgs<T> epilogue;
  Window window;
  std::int64_t height;
  std::int64_t width;
  std::int64_t channels;
  std::int64_t y_height;
  std::int64_t y_width;
  std::int64_t segment;

  std::int64_t segments() const { return (y_width + segment - 1) / segment; }
};

}  // namespace dformer::cpu
