#pragma once

#include <cstddef>
#include <cstdint>
#include <numeric>
#include <vector>

#include <dformer/losses/lovasz_extension.hpp>
#include <dformer/losses/on_host.hpp>

namespace dformer {

/// The Lovász hinge (Yu and Blaschko, ICML 2015; Berman et al., CVPR 2018) for two classes with one score
/// each pixel, K = 1: a surrogate of 1 - IoU of the pixels labelled 1. Labels are 0 and 1.
template <class B>
struct LovaszHinge {
  using Backend = B;
  using Tensor = typename B::Tensor;

  bool per_image = false;  ///< the mean over images, instead of all pixels of the batch as one set
  int ignore_index = 255;

  /// Throws: ShapeError also where K is not 1.
  LossValue<Tensor> operator()(const Tensor& logits, const LabelMap& labels,
                               double gradient_scale = 1.0) const {
    detail::require_label_shape("lovasz_hinge", logits.shape(), labels);
    if (logits.shape()[3] != 1) shapes::fail("lovasz_hinge", "one score a pixel expected", {logits.shape()});
    detail::require_labels("lovasz_hinge", labels, 2, ignore_index);
    return loss_on_host<B>(logits, labels.height, labels.width, gradient_scale,
                           [&](const HostScores& scores, const HostThreads& threads) {
                             return on_host(scores, labels, threads);
                           });
  }

 private:
  double on_host(const HostScores& scores, const LabelMap& labels, const HostThreads& threads) const {
    const std::int64_t sets = per_image ? scores.images : 1;
    const auto size = static_cast<std::size_t>(scores.images * scores.pixels / sets);
    const auto mean = 1.0 / static_cast<double>(sets);
    std::vector<double> losses(static_cast<std::size_t>(sets));
    threads.for_each(sets, [&](std::int64_t set) {
      const std::size_t first = static_cast<std::size_t>(set) * size;
      const auto error_of = [&](std::size_t i) {
        return 1.0f - (labels.labels[i] == 1 ? scores.values[i] : -scores.values[i]);
      };
      detail::LovaszExtension extension(size);
      for (std::size_t i = 0; i < size; ++i) {
        const int label = labels.labels[first + i];
        if (label == ignore_index) continue;
        extension.add(error_of(first + i), label == 1, static_cast<std::uint32_t>(i));
      }
      double loss = 0;
      extension.for_each([&](std::uint32_t index, bool is_truth, double weight) {
        const float error = error_of(first + index);
        if (error <= 0) return;
        loss += weight * static_cast<double>(error);
        scores.gradient[first + index] = static_cast<float>(is_truth ? -mean * weight : mean * weight);
      });
      losses[static_cast<std::size_t>(set)] = mean * loss;
    });
    return std::accumulate(losses.begin(), losses.end(), 0.0);
  }
};

}  // namespace dformer
