#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <dformer/losses/label_map.hpp>
#include <dformer/losses/on_host.hpp>
#include <dformer/losses/softmax_rows.hpp>

namespace dformer {

/// The cross-entropy of each pixel by itself, times its class's and its own weight: [images * pixels]; 0
/// where it is ignored. `pixel_weight` is [images * pixels] or empty. Writes the gradient of their sum.
inline std::vector<double> pixel_cross_entropy(const HostScores& scores, const LabelMap& labels,
                                               int ignore_index, std::span<const float> class_weight,
                                               std::span<const float> pixel_weight,
                                               const HostThreads& threads) {
  const PixelBlocks blocks{scores.images, scores.pixels};
  std::vector<double> losses(labels.labels.size());
  threads.for_each(blocks.count(), [&](std::int64_t block) {
    std::vector<double> probabilities(static_cast<std::size_t>(scores.classes));
    for (std::int64_t i = blocks.begin(block); i < blocks.end(block); ++i) {
      const auto pixel = static_cast<std::size_t>(i);
      const std::size_t label = labels.labels[pixel];
      if (static_cast<int>(label) == ignore_index) continue;
      const double weight = detail::weight_of(class_weight, label) * detail::weight_of(pixel_weight, pixel);
      if (weight == 0) continue;
      const std::span<const float> row = scores.row(i);
      const double log_sum = detail::softmax_row(row, probabilities);
      losses[pixel] = weight * (log_sum - static_cast<double>(row[label]));
      const std::span<float> gradient = scores.gradient_row(i);
      for (std::size_t k = 0; k < gradient.size(); ++k) {
        gradient[k] = static_cast<float>(weight * (probabilities[k] - (k == label ? 1.0 : 0.0)));
      }
    }
  });
  return losses;
}

}  // namespace dformer
