#pragma once

#include <vector>

#include <dformer/losses/overlap.hpp>

namespace dformer {

/// 1 - (TP + smooth) / (TP + alpha FP + beta FN + smooth) of the softmax's probabilities, each class of each
/// image by itself, and the mean of those (Salehi et al., MLMI 2017): dice with a price for false positives
/// and another for false negatives.
template <class B>
struct Tversky {
  using Backend = B;
  using Tensor = typename B::Tensor;

  float alpha = 0.3f;  ///< price of a false positive
  float beta = 0.7f;   ///< price of a false negative
  float smooth = 1.0f;
  std::vector<float> class_weight{};  ///< one for each class; empty: 1
  int ignore_index = 255;             ///< as the index of a class: that class is skipped

  LossValue<Tensor> operator()(const Tensor& logits, const LabelMap& labels,
                               double gradient_scale = 1.0) const {
    detail::require_label_shape("tversky", logits.shape(), labels);
    detail::require_class_weight("tversky", class_weight, logits.shape()[3]);
    detail::require_labels("tversky", labels, logits.shape()[3], ignore_index);
    const auto a = static_cast<double>(alpha);
    const auto b = static_cast<double>(beta);
    const auto loss_of = [a, b, added = static_cast<double>(smooth)](const detail::Overlap& region) {
      const double false_positives = region.predicted - region.hit;
      const double false_negatives = region.truth - region.hit;
      return detail::one_minus_ratio(region.hit + added,
                                     region.hit + a * false_positives + b * false_negatives + added, 1,
                                     1 - a - b, a);
    };
    const detail::OverlapOptions options{1, ignore_index, IgnoredPixels::left_out, class_weight};
    return loss_on_host<B>(logits, labels.height, labels.width, gradient_scale,
                           [&](const HostScores& scores, const HostThreads& threads) {
                             return detail::OverlapReduction(scores, labels, options, threads, loss_of)();
                           });
  }
};

}  // namespace dformer
