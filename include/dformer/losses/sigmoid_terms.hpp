#pragma once

#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <vector>

#include <dformer/losses/binary_terms.hpp>
#include <dformer/losses/label_map.hpp>
#include <dformer/losses/on_host.hpp>
#include <dformer/losses/reduction.hpp>

namespace dformer::detail {

/// Every class of every pixel as a yes or no question of its own: reduces `term(score, is_true, class)`
/// over them. With one class the labels are 0 and 1. Ignored pixels add nothing.
template <class TermOf>
double reduce_sigmoid_terms(const HostScores& scores, const LabelMap& labels, int ignore_index,
                            const Reduction& reduction, double weight_of_pixel, const HostThreads& threads,
                            const TermOf& term) {
  std::int64_t valid = 0;
  for (std::uint8_t label : labels.labels) valid += label != ignore_index ? 1 : 0;
  const double factor =
      factor_of(reduction, {.all = static_cast<double>(scores.images * scores.pixels * scores.classes),
                            .valid = static_cast<double>(valid * scores.classes),
                            .weights = static_cast<double>(valid) * weight_of_pixel});
  const PixelBlocks blocks{scores.images, scores.pixels};
  std::vector<double> sums(static_cast<std::size_t>(blocks.count()));
  threads.for_each(blocks.count(), [&](std::int64_t block) {
    double sum = 0;
    for (std::int64_t i = blocks.begin(block); i < blocks.end(block); ++i) {
      const std::size_t label = labels.labels[static_cast<std::size_t>(i)];
      if (static_cast<int>(label) == ignore_index) continue;
      const std::span<const float> row = scores.row(i);
      const std::span<float> gradient = scores.gradient_row(i);
      for (std::size_t k = 0; k < row.size(); ++k) {
        const bool is_true = scores.classes == 1 ? label == 1 : label == k;
        const TermAndSlope one = term(static_cast<double>(row[k]), is_true, k);
        sum += one.loss;
        gradient[k] = static_cast<float>(factor * one.slope);
      }
    }
    sums[static_cast<std::size_t>(block)] = sum;
  });
  return factor * std::accumulate(sums.begin(), sums.end(), 0.0);
}

}  // namespace dformer::detail
