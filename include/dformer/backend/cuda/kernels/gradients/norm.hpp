#pragma once

#include <cstdint>

#include <dformer/backend/cuda/kernels/gradients/column_sums.hpp>
#include <dformer/backend/cuda/kernels/row_lanes.hpp>
#include <dformer/backend/cuda/stream.hpp>
#include <dformer/core/half.hpp>

// Launchers of the kernels in device/gradients/layer_norm.cuh and batch_norm.cuh, for T float, half and
// bfloat16.
namespace dformer::cuda {

/// Of a layer norm over the rows of x [rows, channels].
template <class T>
struct LayerNormGradientArgs {
  const T* x;
  const float* weight;
  const T* dy;
  T* dx;
  float* dweight;
  float* dbias;
  std::int64_t rows;
  std::int64_t channels;
  float eps;
  PartialSums partial;    ///< two sums for each channel, in slices_of_layer_norm slices
  float* row_statistics;  ///< [rows, 2] where rows do not fit in registers
};
template <class T>
void layer_norm_gradient(const LayerNormGradientArgs<T>& args, Stream stream);

/// As many as a large GPU holds at once, or fewer, so that each block has two rows or more one after the
/// other: the registers of longer rows leave room for fewer blocks.
template <class T>
std::int64_t slices_of_layer_norm(std::int64_t rows, std::int64_t channels) {
  const RowLanes row = RowLanes::of<T>(channels);
  if (row.packs == 0) return slices_of_sums(Columns::of<T>(rows, channels));
  const std::int64_t most = 6 * 132 / row.packs;
  const std::int64_t wanted = (rows + 2 * row.rows() - 1) / (2 * row.rows());
  return wanted < most ? wanted : most;
}

/// Mean and biased variance of each channel of x.
template <class T>
struct BatchStatisticsArgs {
  const T* x;
  float* mean;
  float* variance;
  Columns columns;
  PartialSums partial;  ///< two sums for each channel
};
template <class T>
void batch_statistics(const BatchStatisticsArgs<T>& args, Stream stream);

/// Of (x - mean) / sqrt(variance + eps) * weight + bias, where mean and variance are those of x.
template <class T>
struct BatchNormGradientArgs {
  const T* x;
  const T* dy;
  const float* weight;
  const float* mean;
  const float* variance;
  T* dx;
  float* dweight;
  float* dbias;
  float* linear;  ///< [3, channels]: memory for scale, slope, shift of dx = scale * dy + slope * (x - mean) +
                  ///< shift
  float eps;
  Columns columns;
  PartialSums partial;  ///< two sums for each channel
};
template <class T>
void batch_norm_gradient(const BatchNormGradientArgs<T>& args, Stream stream);

/// running = (1 - momentum) * running + momentum * batch; of the variance momentum * unbiased times the
/// batch's.
struct UpdateStatisticsArgs {
  float* running_mean;
  float* running_variance;
  const float* mean;
  const float* variance;
  std::int64_t channels;
  double momentum;
  double unbiased;
};
void update_statistics(const UpdateStatisticsArgs& args, Stream stream);

}  // namespace dformer::cuda
