#pragma once

#include <dformer/backend/cuda/device/activation.cuh>
#include <dformer/backend/cuda/device/floats.cuh>
#include <dformer/backend/cuda/kernels/epilogue.hpp>

namespace dformer::cuda::device {

template <Activation Which, class T, int N, int Pixels>
__device__ __forceinline__ void activate_all(Floats<N> (&y)[Pixels]) {
  DFORMER_UNROLL
  for (int p = 0; p < Pixels; ++p) {
    DFORMER_UNROLL
    for (int i = 0; i < N; ++i) y[p].values[i] = activated<T>(y[p].values[i], Which);
  }
}

/// One branch for all of them, so that they are made side by side.
template <class T, int N, int Pixels>
__device__ __forceinline__ void activate(Activation activation, Floats<N> (&y)[Pixels]) {
  switch (activation) {
    case Activation::relu:
      return activate_all<Activation::relu, T>(y);
    case Activation::gelu:
      return activate_all<Activation::gelu, T>(y);
    case Activation::sigmoid:
      return activate_all<Activation::sigmoid, T>(y);
    case Activation::none:
      return;
  }
}

/// Makes of the sums of N neighbouring channels, from `channel` on, what Epilogue says, in the first `pixels`
/// of several pixels. The first sum is element `at` of the result, that of the next pixel `step` further. The
/// operands are read in packs of N.
template <int N, int Pixels, class T>
__device__ __forceinline__ void apply_epilogue(const EpilogueOperands<T>& epilogue, std::int64_t channel,
                                               std::int64_t at, std::int64_t step, int pixels,
                                               Floats<N> (&y)[Pixels]) {
  const auto for_each_pixel = [&](const auto& apply) {
    DFORMER_UNROLL
    for (int p = 0; p < Pixels; ++p) {
      if (p < pixels) apply(at + p * step, y[p]);
    }
  };
  const auto for_channels = [&](const float* of_channels, const auto& apply) {
    const Floats<N> operand = load_floats<N>(of_channels + channel);
    DFORMER_UNROLL
    for (int p = 0; p < Pixels; ++p) apply(operand, y[p]);
  };
  const auto times = [](const Floats<N>& factors, Floats<N>& sums) { multiply(factors, sums); };
  const auto plus = [](const Floats<N>& added, Floats<N>& sums) { add_to(added, sums); };
  if (epilogue.scale != nullptr) for_channels(epilogue.scale, times);
  if (epilogue.shift != nullptr) for_channels(epilogue.shift, plus);
  activate<T>(epilogue.activation, y);
  if (epilogue.multiply != nullptr) {
    for_each_pixel(
        [&](std::int64_t i, Floats<N>& sums) { multiply(load_floats<N>(epilogue.multiply + i), sums); });
  }
  if (epilogue.layer_scale != nullptr) for_channels(epilogue.layer_scale, times);
  if (epilogue.residual != nullptr) {
    for_each_pixel(
        [&](std::int64_t i, Floats<N>& sums) { add_to(load_floats<N>(epilogue.residual + i), sums); });
  }
  activate<T>(epilogue.final_activation, y);
}

/// The same for one pixel.
template <int N, class T>
__device__ __forceinline__ void apply_epilogue(const EpilogueOperands<T>& epilogue, std::int64_t channel,
                                               std::int64_t at, Floats<N>& y) {
  Floats<N> pixel[1] = {y};
  apply_epilogue(epilogue, channel, at, 0, 1, pixel);
  y = pixel[0];
}

}  // namespace dformer::cuda::device
