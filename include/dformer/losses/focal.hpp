#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <dformer/losses/sigmoid_terms.hpp>

namespace dformer {

/// The focal loss (Lin et al., ICCV 2017) of a sigmoid for each class by itself: what is already right counts
/// less, by the power gamma of the probability of being wrong. By default the mean over all N * height *
/// width * K, as the reference's; divisors count K terms a pixel.
template <class B>
struct Focal {
  using Backend = B;
  using Tensor = typename B::Tensor;

  float gamma = 2.0f;
  float alpha = 0.5f;                 ///< share of the positives; the negatives have 1 - alpha
  std::vector<float> class_alpha{};   ///< an alpha for each class; empty: `alpha` for all
  std::vector<float> class_weight{};  ///< one for each class; empty: 1
  int ignore_index = 255;
  Reduction reduction = mean_over_all;

  LossValue<Tensor> operator()(const Tensor& logits, const LabelMap& labels,
                               double gradient_scale = 1.0) const {
    detail::require_label_shape("focal", logits.shape(), labels);
    const std::int64_t classes = logits.shape()[3];
    detail::require_labels("focal", labels, std::max<std::int64_t>(classes, 2), ignore_index);
    detail::require_class_weight("focal", class_alpha, classes);
    detail::require_class_weight("focal", class_weight, classes);
    double weights = 0;
    for (std::int64_t k = 0; k < classes; ++k) {
      weights += detail::weight_of(class_weight, static_cast<std::size_t>(k));
    }
    return loss_on_host<B>(logits, labels.height, labels.width, gradient_scale,
                           [&](const HostScores& scores, const HostThreads& threads) {
                             return detail::reduce_sigmoid_terms(
                                 scores, labels, ignore_index, reduction, weights, threads,
                                 [&](double score, bool is_true, std::size_t k) {
                                   const double share =
                                       static_cast<double>(class_alpha.empty() ? alpha : class_alpha[k]);
                                   const detail::TermAndSlope one =
                                       detail::focal_term(score, is_true, static_cast<double>(gamma), share);
                                   const double weight = detail::weight_of(class_weight, k);
                                   return detail::TermAndSlope{weight * one.loss, weight * one.slope};
                                 });
                           });
  }
};

}  // namespace dformer
