#pragma once

#include <type_traits>

#include <dformer/backend/cuda/device/language.cuh>
#include <dformer/backend/epilogue.hpp>

namespace dformer::cuda::device {

/// The share of a standard normal that is below x, and its density there up to a factor: exp(-x^2 / 2).
struct NormalShare {
  float below;
  float exponential;
};

/// For results of 16 bits: within 1e-7 (Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1.26),
/// in a third of erff's instructions and without a branch.
__device__ __forceinline__ NormalShare normal_share(float x) {
  const float z = fabsf(x) * 0.70710678118654752f;
  const float t = fast_reciprocal(fmaf(0.3275911f, z, 1.0f));
  float sum = fmaf(1.061405429f, t, -1.453152027f);
  sum = fmaf(sum, t, 1.421413741f);
  sum = fmaf(sum, t, -0.284496736f);
  sum = fmaf(sum, t, 0.254829592f);
  const float exponential = fast_exp(-z * z);
  const float beyond = 0.5f * sum * t * exponential;
  return {x < 0.0f ? beyond : 1.0f - beyond, exponential};
}

/// For values that are kept as T.
template <class T>
__device__ __forceinline__ float gelu(float x) {
  // Further below the share is 0, and would make NaN of infinity.
  if constexpr (std::is_same_v<T, float>) {
    return x < -10.0f ? 0.0f : 0.5f * x * (1.0f + erff(x * 0.70710678118654752f));
  } else {
    return x < -10.0f ? 0.0f : x * normal_share(x).below;
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
