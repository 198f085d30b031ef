#pragma once

#include <type_traits>

#include <dformer/backend/cuda/device/language.cuh>
#include <dformer/backend/epilogue.hpp>

namespace dformer::cuda::device {

/// How likely a standard normal is further out than x, to the same side, and its density there up to a
/// factor: exp(-x^2 / 2).
struct NormalTail {
  float beyond;
  float exponential;
};

/// For results of 16 bits: within 1e-7 (Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1.26),
/// in a third of erff's instructions and without a branch.
__device__ __forceinline__ NormalTail normal_tail(float x) {
  const float t = fast_reciprocal(fmaf(0.3275911f * 0.70710678118654752f, fabsf(x), 1.0f));
  float sum = fmaf(0.5f * 1.061405429f, t, 0.5f * -1.453152027f);
  sum = fmaf(sum, t, 0.5f * 1.421413741f);
  sum = fmaf(sum, t, 0.5f * -0.284496736f);
  sum = fmaf(sum, t, 0.5f * 0.254829592f);
  const float exponential = fast_exp2(x * x * -0.72134752044448170f);  // half the base-2 logarithm of e
  return {sum * t * exponential, exponential};
}

/// For values that are kept as T.
template <class T>
__device__ __forceinline__ float gelu(float x) {
  if constexpr (std::is_same_v<T, float>) {
    // Further below, 1 + erf is 0, and would make NaN of infinity.
    return x < -10.0f ? 0.0f : 0.5f * x * (1.0f + erff(x * 0.70710678118654752f));
  } else {
    // Far out the tail is 0; cut off there, no infinity meets it. A NaN stays one.
    const float near = min(100.0f, fabsf(x));
    return fmaf(-near, normal_tail(near).beyond, x < 0.0f ? 0.0f : x);
  }
}

template <class T>
__device__ __forceinline__ float activated(float x, Activation activation) {
  switch (activation) {
    case Activation::relu:
      return x < 0.0f ? 0.0f : x;  // a NaN stays one
    case Activation::gelu:
      return gelu<T>(x);
    case Activation::sigmoid:
      return 1.0f / (1.0f + expf(-x));
    case Activation::none:
      break;
  }
  return x;
}

}  // namespace dformer::cuda::device
