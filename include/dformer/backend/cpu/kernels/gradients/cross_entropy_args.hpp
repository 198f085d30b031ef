#pragma once

#include <cstdint>

#include <dformer/backend/cpu/kernels/resize_args.hpp>

namespace dformer::cpu {

/// Cross entropy of logits [N, height, width, classes] that are resized to the labels' [N, y_height,
/// y_width]. A pixel of class c loses
///
///     total_weight[c] * log(sum of exp(logits)) - target_weight[c] * logit[c] - sum of smoothing * logits
///
/// A task is an input row: the output rows that lie between it and the next one. What those give to the
/// gradient of the next row goes to `below`.
template <class T>
struct CrossEntropyArgs {
  static constexpr std::int64_t max_classes = 256;
  static constexpr std::int64_t widest_vector = 16;

  const T* logits;
  const std::uint8_t* labels;
  T* gradient;
  T* below;      ///< as the gradient, for the row below each; null where no output row lies between two
  double* loss;  ///< one for each task
  T* scratch;
  const ResizeTap* rows;
  const ResizeTap* columns;
  const std::uint8_t* counted;  ///< [256] for each label, whether it takes part
  const T* total_weight;        ///< [256]
  const T* target_weight;       ///< [256]
  const T* smoothing;           ///< [256], 0 beyond the classes; null for none
  std::int64_t height;
  std::int64_t width;
  std::int64_t classes;
  std::int64_t y_height;
  std::int64_t y_width;

  /// Elements of `scratch` that a task uses: three rows of the input, classes rounded up to whole vectors.
  static std::int64_t scratch_elements(std::int64_t width, std::int64_t classes) {
    return 3 * width * ((classes + widest_vector - 1) / widest_vector * widest_vector);
  }
};

}  // namespace dformer::cpu
