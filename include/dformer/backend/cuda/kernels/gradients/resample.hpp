#pragma once

#include <cstdint>

#include <dformer/backend/cuda/kernels/resize_axis.hpp>
#include <dformer/backend/cuda/stream.hpp>
#include <dformer/core/half.hpp>

// Launchers of the kernels in device/gradients/resample.cuh, for T float, half and bfloat16.
namespace dformer::cuda {

/// How the windows of adaptive_avg_pool lie along one axis.
struct PoolAxis {
  int input;
  int output;
};

/// dx [images, rows.input, columns.input, channels] from dy [images, rows.output, columns.output, channels].
/// Axis: ResizeAxis or PoolAxis.
template <class T, class Axis>
struct ResampleGradientArgs {
  const T* dy;
  T* dx;
  Axis rows;
  Axis columns;
  std::int64_t images;
  std::int64_t channels;
};
template <class T, class Axis>
void resample_gradient(const ResampleGradientArgs<T, Axis>& args, Stream stream);

}  // namespace dformer::cuda
