#pragma once

#include <cstdint>

#include <dformer/backend/cuda/kernels/columns.hpp>
#include <dformer/backend/cuda/stream.hpp>
#include <dformer/core/half.hpp>

// Launchers of the kernels in device/norm.cuh, for T float, half and bfloat16.
namespace dformer::cuda {

/// y = (x - mean) / sqrt(variance + eps) * weight + bias for each row of x [rows, channels].
template <class T>
struct LayerNormArgs {
  const T* x;
  const float* weight;
  const float* bias;
  T* y;
  std::int64_t rows;
  std::int64_t channels;
  float eps;
};
template <class T>
void layer_norm(const LayerNormArgs<T>& args, Stream stream);

/// scale = weight / sqrt(variance + eps), shift = bias - mean * scale.
struct BatchNormAffineArgs {
  const float* weight;
  const float* bias;
  const float* mean;
  const float* variance;
  float* scale;
  float* shift;
  std::int64_t channels;
  float eps;
};
void batch_norm_affine(const BatchNormAffineArgs& args, Stream stream);

/// y = x * scale + shift, a value of both for each channel.
template <class T>
struct ScaleShiftArgs {
  const T* x;
  const float* scale;
  const float* shift;
  T* y;
  Columns columns;
};
template <class T>
void scale_shift(const ScaleShiftArgs<T>& args, Stream stream);

}  // namespace dformer::cuda
