#pragma once

#include <vector>

#include <dformer/losses/overlap.hpp>

namespace dformer {

/// 1 - (2 sum(p t) + smooth) / (sum(p^exponent) + sum(t) + smooth) of the softmax's probabilities p and the
/// truth t, each class of each image by itself, and the mean of those (V-Net; Milletari et al., 3DV 2016).
/// The reference sums the denominator over ignored pixels as well, as if they were of the last class; so does
/// this by default. `IgnoredPixels::left_out` does not. An image without a labelled pixel adds nothing.
template <class B>
struct Dice {
  using Backend = B;
  using Tensor = typename B::Tensor;

  float smooth = 1.0f;
  float exponent = 2.0f;
  std::vector<float> class_weight{};  ///< one for each class; empty: 1
  int ignore_index = 255;             ///< as the index of a class: that class is skipped
  IgnoredPixels ignored = IgnoredPixels::clamped;

  LossValue<Tensor> operator()(const Tensor& logits, const LabelMap& labels,
                               double gradient_scale = 1.0) const {
    detail::require_label_shape("dice", logits.shape(), labels);
    detail::require_class_weight("dice", class_weight, logits.shape()[3]);
    detail::require_labels("dice", labels, logits.shape()[3], ignore_index);
    const auto loss_of = [added = static_cast<double>(smooth)](const detail::Overlap& region) {
      return detail::one_minus_ratio(2 * region.hit + added, region.predicted + region.truth + added, 2, 0,
                                     1);
    };
    const detail::OverlapOptions options{static_cast<double>(exponent), ignore_index, ignored, class_weight};
    return loss_on_host<B>(logits, labels.height, labels.width, gradient_scale,
                           [&](const HostScores& scores, const HostThreads& threads) {
                             return detail::OverlapReduction(scores, labels, options, threads, loss_of)();
                           });
  }
};

}  // namespace dformer
