#pragma once

#include <dformer/backend/cuda/device/activation.cuh>
#include <dformer/backend/cuda/device/floats.cuh>
#include <dformer/backend/cuda/kernels/epilogue.hpp>

namespace dformer::cuda::device {

template <class T, int N>
__device__ __forceinline__ void activate(Activation activation, Floats<N>& y) {
  if (activation == Activation::none) return;
  DFORMER_UNROLL
  for (int i = 0; i < N; ++i) y.values[i] = activated<T>(y.values[i], activation);
}

/// Makes of the sums of N neighbouring channels, from `channel` on, what Epilogue says; the first of them is
/// element `at` of the result. The operands are read in packs of N.
template <int N, class T>
__device__ __forceinline__ void apply_epilogue(const EpilogueOperands<T>& epilogue, std::int64_t channel,
                                               std::int64_t at, Floats<N>& y) {
  if (epilogue.scale != nullptr) multiply(load_floats<N>(epilogue.scale + channel), y);
  if (epilogue.shift != nullptr) add_to(load_floats<N>(epilogue.shift + channel), y);
  activate<T>(epilogue.activation, y);
  if (epilogue.multiply != nullptr) multiply(load_floats<N>(epilogue.multiply + at), y);
  if (epilogue.layer_scale != nullptr) multiply(load_floats<N>(epilogue.layer_scale + channel), y);
  if (epilogue.residual != nullptr) add_to(load_floats<N>(epilogue.residual + at), y);
  activate<T>(epilogue.final_activation, y);
}

}  // namespace dformer::cuda::device
