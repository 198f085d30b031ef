#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include <dformer/losses/sigmoid_terms.hpp>

namespace dformer {

/// Cross-entropy of a sigmoid for each class by itself, so that classes need not exclude one another. With
/// one class, K = 1, labels are 0 and 1. By default the mean over all N * height * width * K, as the
/// reference's; divisors count K terms a pixel.
template <class B>
struct BinaryCrossEntropy {
  using Backend = B;
  using Tensor = typename B::Tensor;

  int ignore_index = 255;
  std::vector<float> positive_weight{};  ///< what a true pixel of each class counts; empty: 1
  Reduction reduction = mean_over_all;

  LossValue<Tensor> operator()(const Tensor& logits, const LabelMap& labels,
                               double gradient_scale = 1.0) const {
    detail::require_label_shape("binary_cross_entropy", logits.shape(), labels);
    const std::int64_t classes = logits.shape()[3];
    detail::require_labels("binary_cross_entropy", labels, std::max<std::int64_t>(classes, 2), ignore_index);
    detail::require_class_weight("binary_cross_entropy", positive_weight, classes);
    return loss_on_host<B>(logits, labels.height, labels.width, gradient_scale,
                           [&](const HostScores& scores, const HostThreads& threads) {
                             return detail::reduce_sigmoid_terms(
                                 scores, labels, ignore_index, reduction, static_cast<double>(classes),
                                 threads, [&](double score, bool is_true, std::size_t k) {
                                   return detail::binary_cross_entropy_term(
                                       score, is_true ? 1 : 0, detail::weight_of(positive_weight, k));
                                 });
                           });
  }
};

}  // namespace dformer
