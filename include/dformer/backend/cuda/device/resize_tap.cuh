#pragma once

#include <dformer/backend/cuda/device/floats.cuh>
#include <dformer/backend/cuda/device/language.cuh>
#include <dformer/backend/cuda/kernels/resize_axis.hpp>

namespace dformer::cuda::device {

/// Where one output row (or column) lies between two input rows: first + weight * (second - first).
struct ResizeTap {
  int first;
  int second;
  float weight;
};

/// Each step rounded by itself, so that the same taps come out as on the CPU.
__device__ __forceinline__ ResizeTap resize_tap(const ResizeAxis& axis, int output) {
  const auto index = static_cast<float>(output);
  const float at = axis.align_corners
                       ? __fmul_rn(axis.scale, index)
                       : max(__fadd_rn(__fmul_rn(axis.scale, __fadd_rn(index, 0.5f)), -0.5f), 0.0f);
  const int first = min(static_cast<int>(at), axis.input - 1);
  return {first, min(first + 1, axis.input - 1), min(__fadd_rn(at, -static_cast<float>(first)), 1.0f)};
}

/// The first output row that starts at input row `input` or behind it; all of them from there on do.
__device__ __forceinline__ int first_output(const ResizeAxis& axis, int input) {
  if (input <= 0) return 0;
  if (axis.scale <= 0.0f) return axis.output;
  // The inverse of the rule above is out by rounding only.
  const auto position = static_cast<float>(input);
  const float guess = axis.align_corners ? position / axis.scale : (position + 0.5f) / axis.scale - 0.5f;
  int output = static_cast<int>(min(max(guess, 0.0f), static_cast<float>(axis.output)));
  while (output > 0 && resize_tap(axis, output - 1).first >= input) --output;
  while (output < axis.output && resize_tap(axis, output).first < input) ++output;
  return output;
}

/// a + weight * (b - a): the one form in which everything here interpolates, so that all of it rounds alike.
__device__ __forceinline__ float interpolated(float a, float b, float weight) {
  return fmaf(weight, __fadd_rn(b, -a), a);
}

}  // namespace dformer::cuda::device
