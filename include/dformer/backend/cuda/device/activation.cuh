#pragma once

#include <dformer/backend/cuda/device/language.cuh>
#include <dformer/backend/epilogue.hpp>

namespace dformer::cuda::device {

__device__ __forceinline__ float activated(float x, Activation activation) {
  constexpr float inverse_sqrt_2 = 0.70710678118654752f;
  switch (activation) {
    case Activation::relu:
      return x < 0.0f ? 0.0f : x;  // a NaN stays one
    case Activation::gelu:
      // Below, 1 + erf is 0 in float, and would make NaN of infinity.
      return x < -10.0f ? 0.0f : 0.5f * x * (1.0f + erff(x * inverse_sqrt_2));
    case Activation::sigmoid:
      return 1.0f / (1.0f + expf(-x));
    case Activation::none:
      break;
  }
  return x;
}

}  // namespace dformer::cuda::device
