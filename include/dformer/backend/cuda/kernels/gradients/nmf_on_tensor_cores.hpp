#pragma once

#include <cstdint>

#include <dformer/backend/cuda/kernels/nmf_on_tensor_cores.hpp>

// Launcher of the kernel in device/gradients/nmf_on_tensor_cores.cuh, for T half and bfloat16, under the
// conditions of kernels/nmf_on_tensor_cores.hpp.
namespace dformer::cuda {

/// Back through next = values * numerator / (values gram + 1e-6), of coefficients. The gradient of `next` is
///
///     gradient + x dsums + next dsquare
///
/// or, where `next` is null, `gradient` alone. It becomes that of the values, and the numerator its own.
template <class T>
struct NmfCoefficientsGradientArgs {
  ImageMatrix<const T> x;            ///< [rows, channels]
  ImageMatrix<const float> dsums;    ///< [channels, 64]
  ImageMatrix<const float> next;     ///< [rows, 64]; rounded
  ImageMatrix<const float> dsquare;  ///< [64, 64]
  ImageMatrix<const float> values;   ///< [rows, 64]; rounded
  ImageMatrix<const float> gram;     ///< [64, 64]
  ImageMatrix<float> numerator;      ///< [rows, 64]
  ImageMatrix<float> gradient;       ///< [rows, 64]
  ImageMatrix<float> ddenominator;   ///< [rows, 64]; rounded
  std::int64_t images;
  std::int64_t rows;
  std::int64_t channels;
};
template <class T>
void nmf_coefficients_gradient(const NmfCoefficientsGradientArgs<T>& args, Stream stream);

}  // namespace dformer::cuda
