#pragma once

#include <cstdint>

#include <dformer/backend/cuda/kernels/resize_axis.hpp>
#include <dformer/backend/cuda/stream.hpp>
#include <dformer/core/half.hpp>

// Launcher of the kernels in device/gradients/cross_entropy.cuh, for T float, half and bfloat16.
namespace dformer::cuda {

/// Cross entropy of logits [images, rows.input, columns.input, classes] that are resized to the labels'
/// [images, rows.output, columns.output]. A pixel of class c loses
///
///     total_weight[c] * log(sum of exp(logits)) - target_weight[c] * logit[c] - sum of smoothing * logits
///
/// A cell is what lies between four pixels of the input, with the output pixels that start from it.
template <class T>
struct CrossEntropyArgs {
  const T* logits;
  const std::uint8_t* labels;
  T* gradient;
  float* corners;              ///< [cells][4][classes]: what a cell gives to the gradients of its corners
  double* losses;              ///< one for each block of cells
  double* loss;                ///< their sum
  const float* total_weight;   ///< [classes]
  const float* target_weight;  ///< [classes]
  const float* smoothing;      ///< [classes]
  ResizeAxis rows;
  ResizeAxis columns;
  std::int64_t images;
  int classes;
  int ignore_index;
  float gradient_scale;

  std::int64_t cells() const { return images * rows.input * columns.input; }
  static constexpr std::int64_t cells_of_a_block = 4;
  std::int64_t blocks() const { return (cells() + cells_of_a_block - 1) / cells_of_a_block; }
};
template <class T>
void cross_entropy(const CrossEntropyArgs<T>& args, Stream stream);

}  // namespace dformer::cuda
