#pragma once

#include <dformer/backend/cuda/device/language.cuh>

namespace dformer::cuda::device {

/// A sum in float that keeps what rounding takes from it (Neumaier's variant of Kahan's summation, by Knuth's
/// exact sum of two): as good as one in double, at full speed on GPUs whose double is slow.
struct CompensatedSum {
  float high = 0.0f;
  float low = 0.0f;

  __device__ __forceinline__ void add(float x) {
    const float sum = high + x;
    const float added = sum - high;
    low += (high - (sum - added)) + (x - added);
    high = sum;
  }
  __device__ __forceinline__ void add_product(float a, float b) {
    const float product = __fmul_rn(a, b);
    add(product);
    low += fmaf(a, b, -product);
  }
  /// What was lost of an infinite sum is not a number.
  __device__ __forceinline__ double value() const {
    return low == low ? static_cast<double>(high) + static_cast<double>(low) : static_cast<double>(high);
  }
};

}  // namespace dformer::cuda::device
