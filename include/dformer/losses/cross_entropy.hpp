#pragma once

#include <cstdint>
#include <vector>

#include <dformer/backend/gradients.hpp>
#include <dformer/losses/loss.hpp>
#include <dformer/losses/reduction.hpp>

namespace dformer {

/// Cross-entropy of the softmax over classes: the loss of the official training, and the one that backends
/// compute themselves. By default the mean over the pixels that are not ignored, as the official network has
/// it; the reference's loss module of the same name means over all of them.
template <class B>
struct CrossEntropy {
  using Backend = B;
  using Tensor = typename B::Tensor;

  int ignore_index = 255;
  float label_smoothing = 0.0f;       ///< share of the target that is spread over all classes
  std::vector<float> class_weight{};  ///< one for each class; empty: 1
  Reduction reduction = mean_over_valid;

  LossValue<Tensor> operator()(const Tensor& logits, const LabelMap& labels,
                               double gradient_scale = 1.0) const {
    detail::require_label_shape("cross_entropy", logits.shape(), labels);
    const auto factor = [&](std::int64_t pixels, double weight) {
      return factor_of(reduction, {.all = static_cast<double>(labels.labels.size()),
                                   .valid = static_cast<double>(pixels),
                                   .weights = weight});
    };
    const SummedLoss<Tensor> sum =
        Gradients<B>::cross_entropy(logits, labels.labels, labels.height, labels.width,
                                    {.ignore_index = ignore_index,
                                     .label_smoothing = label_smoothing,
                                     .class_weight = class_weight,
                                     .gradient_scale = [&](std::int64_t pixels, double weight) {
                                       return factor(pixels, weight) * gradient_scale;
                                     }});
    return {factor(sum.pixels, sum.weight) * sum.sum, sum.gradient};
  }
};

}  // namespace dformer
