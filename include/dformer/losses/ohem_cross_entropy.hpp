#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <numeric>
#include <string>
#include <vector>

#include <dformer/losses/pixel_cross_entropy.hpp>

namespace dformer {

/// Cross-entropy of the hard pixels alone (online hard example mining; Shrivastava et al., CVPR 2016), as the
/// reference's ProbOhemCrossEntropy2d: those whose true class has a probability of `threshold` or less, and
/// never fewer than the `min_kept` hardest of the batch (all where there are fewer). Their mean, weighted by
/// class as PyTorch's. The reference's own defaults are 0.6 and 256.
template <class B>
struct OhemCrossEntropy {
  using Backend = B;
  using Tensor = typename B::Tensor;

  float threshold = 0.7f;
  std::int64_t min_kept = 100000;
  int ignore_index = 255;
  std::vector<float> class_weight{};  ///< one for each class; empty: 1

  /// Throws: ArgumentError also where min_kept is below 1.
  LossValue<Tensor> operator()(const Tensor& logits, const LabelMap& labels,
                               double gradient_scale = 1.0) const {
    detail::require_label_shape("ohem_cross_entropy", logits.shape(), labels);
    detail::require_labels("ohem_cross_entropy", labels, logits.shape()[3], ignore_index);
    detail::require_class_weight("ohem_cross_entropy", class_weight, logits.shape()[3]);
    if (min_kept < 1) {
      throw_argument_error("[ohem_cross_entropy] min_kept of 1 or more expected, got " +
                           std::to_string(min_kept));
    }
    return loss_on_host<B>(logits, labels.height, labels.width, gradient_scale,
                           [&](const HostScores& scores, const HostThreads& threads) {
                             return on_host(scores, labels, threads);
                           });
  }

 private:
  double on_host(const HostScores& scores, const LabelMap& labels, const HostThreads& threads) const {
    const std::vector<float> kept = kept_pixels(truth_probabilities(scores, labels, threads));
    const std::vector<double> losses =
        pixel_cross_entropy(scores, labels, ignore_index, class_weight, kept, threads);
    double weights = 0;
    for (std::size_t i = 0; i < kept.size(); ++i) {
      if (kept[i] != 0) weights += detail::weight_of(class_weight, labels.labels[i]);
    }
    if (weights == 0) return 0;
    for (float& value : scores.gradient) value = static_cast<float>(static_cast<double>(value) / weights);
    return std::accumulate(losses.begin(), losses.end(), 0.0) / weights;
  }

  /// Of each pixel's true class; 2 where it is ignored.
  std::vector<float> truth_probabilities(const HostScores& scores, const LabelMap& labels,
                                         const HostThreads& threads) const {
    const PixelBlocks blocks{scores.images, scores.pixels};
    std::vector<float> truth(labels.labels.size(), ignored);
    threads.for_each(blocks.count(), [&](std::int64_t block) {
      std::vector<double> probabilities(static_cast<std::size_t>(scores.classes));
      for (std::int64_t i = blocks.begin(block); i < blocks.end(block); ++i) {
        const std::size_t label = labels.labels[static_cast<std::size_t>(i)];
        if (static_cast<int>(label) == ignore_index) continue;
        detail::softmax_row(scores.row(i), probabilities);
        truth[static_cast<std::size_t>(i)] = static_cast<float>(probabilities[label]);
      }
    });
    return truth;
  }

  /// 1 for each pixel that counts, else 0.
  std::vector<float> kept_pixels(const std::vector<float>& truth) const {
    std::vector<float> valid;
    std::copy_if(truth.begin(), truth.end(), std::back_inserter(valid), [](float p) { return p < ignored; });
    float limit = 1.0f;
    if (static_cast<std::int64_t>(valid.size()) >= min_kept) {
      const auto nth = valid.begin() + static_cast<std::ptrdiff_t>(min_kept - 1);
      std::nth_element(valid.begin(), nth, valid.end());
      limit = std::max(threshold, *nth);
    }
    std::vector<float> kept(truth.size());
    std::transform(truth.begin(), truth.end(), kept.begin(),
                   [limit](float p) { return p <= limit ? 1.0f : 0.0f; });
    return kept;
  }

  static constexpr float ignored = 2.0f;
};

}  // namespace dformer
