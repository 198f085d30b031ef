#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <dformer/losses/label_map.hpp>
#include <dformer/losses/on_host.hpp>
#include <dformer/losses/softmax_rows.hpp>

namespace dformer {

/// How ignored pixels take part in a loss over regions. They never count as hits.
enum class IgnoredPixels : std::uint8_t {
  left_out,  ///< not at all
  clamped,   ///< in the size of both regions, a label that is no class as if it were the last class
};

}  // namespace dformer

/// Losses that compare, for each image and class, the region of the truth with the probabilities as a region
/// (dice, Tversky): sums over pixels, a ratio of them, and back.
namespace dformer::detail {

/// Sums over the pixels of one image and class.
struct Overlap {
  double hit = 0;        ///< of p where the class is true
  double predicted = 0;  ///< of p^exponent
  double truth = 0;      ///< of 1 where the class is true
};

/// What a loss makes of these, and its derivatives.
struct OverlapLoss {
  double value = 0;
  double by_hit = 0;
  double by_predicted = 0;
};

/// 1 - numerator / denominator; 0 for a class that is nowhere where nothing smooths.
inline OverlapLoss one_minus_ratio(double numerator, double denominator, double numerator_by_hit,
                                   double denominator_by_hit, double denominator_by_predicted) {
  if (denominator == 0) return {};
  const double ratio = numerator / denominator;
  return {1 - ratio, (ratio * denominator_by_hit - numerator_by_hit) / denominator,
          ratio * denominator_by_predicted / denominator};
}

struct OverlapOptions {
  double exponent = 1;
  int ignore_index = 255;
  IgnoredPixels ignored = IgnoredPixels::left_out;
  std::span<const float> class_weight{};
};

inline double power(double p, double exponent) {
  if (exponent == 1) return p;
  return exponent == 2 ? p * p : std::pow(p, exponent);
}
inline double power_slope(double p, double exponent) {
  if (exponent == 1) return 1;
  return exponent == 2 ? 2 * p : exponent * std::pow(p, exponent - 1);
}

/// One loss of this kind: the mean over images and classes of `loss_of(Overlap)`. The class `ignore_index`,
/// if it is one, is skipped and still counted in the mean. Images without a labelled pixel add nothing.
template <class LossOf>
class OverlapReduction {
 public:
  OverlapReduction(const HostScores& scores, const LabelMap& labels, const OverlapOptions& options,
                   const HostThreads& threads, const LossOf& loss_of)
      : scores_(scores),
        labels_(labels),
        options_(options),
        threads_(threads),
        loss_of_(loss_of),
        blocks_{scores.images, scores.pixels},
        classes_(static_cast<std::size_t>(scores.classes)) {}

  /// Turns the scores into probabilities in their place.
  double operator()() {
    sum_regions();
    const double value = compare_regions();
    threads_.for_each(blocks_.count(), [&](std::int64_t block) { fill_gradient(block); });
    return value;
  }

 private:
  bool is_valid(std::int64_t pixel) const { return label(pixel) != options_.ignore_index; }
  int label(std::int64_t pixel) const { return labels_.labels[static_cast<std::size_t>(pixel)]; }
  bool is_counted(std::int64_t pixel) const {
    return options_.ignored == IgnoredPixels::clamped || is_valid(pixel);
  }
  std::size_t row_of(std::int64_t image_or_block) const {
    return static_cast<std::size_t>(image_or_block) * classes_;
  }

  void sum_regions() {
    std::vector<Overlap> of_blocks(row_of(blocks_.count()));
    std::vector<std::int64_t> valid(static_cast<std::size_t>(blocks_.count()));
    threads_.for_each(blocks_.count(), [&](std::int64_t block) {
      std::vector<double> p(classes_);
      const std::span<Overlap> sums = std::span(of_blocks).subspan(row_of(block), classes_);
      for (std::int64_t i = blocks_.begin(block); i < blocks_.end(block); ++i) {
        const std::span<float> row = scores_.row(i);
        softmax_row(row, p);
        std::transform(p.begin(), p.end(), row.begin(), [](double x) { return static_cast<float>(x); });
        if (!is_counted(i)) continue;
        const std::size_t k = std::min(static_cast<std::size_t>(label(i)), classes_ - 1);
        sums[k].truth += 1;
        if (is_valid(i)) {
          sums[k].hit += p[k];
          ++valid[static_cast<std::size_t>(block)];
        }
        for (std::size_t c = 0; c < classes_; ++c) sums[c].predicted += power(p[c], options_.exponent);
      }
    });
    regions_.assign(row_of(scores_.images), {});
    valid_.assign(static_cast<std::size_t>(scores_.images), 0);
    for (std::int64_t block = 0; block < blocks_.count(); ++block) {
      const std::int64_t image = blocks_.image(block);
      valid_[static_cast<std::size_t>(image)] += valid[static_cast<std::size_t>(block)];
      for (std::size_t k = 0; k < classes_; ++k) {
        Overlap& region = regions_[row_of(image) + k];
        const Overlap& part = of_blocks[row_of(block) + k];
        region.hit += part.hit;
        region.predicted += part.predicted;
        region.truth += part.truth;
      }
    }
  }

  double compare_regions() {
    losses_.assign(regions_.size(), {});
    const double mean = 1.0 / static_cast<double>(regions_.size());
    double value = 0;
    for (std::size_t i = 0; i < regions_.size(); ++i) {
      const std::size_t k = i % classes_;
      if (valid_[i / classes_] == 0 || static_cast<int>(k) == options_.ignore_index) continue;
      const double weight = mean * weight_of(options_.class_weight, k);
      const OverlapLoss loss = loss_of_(regions_[i]);
      losses_[i] = {weight * loss.value, weight * loss.by_hit, weight * loss.by_predicted};
      value += losses_[i].value;
    }
    return value;
  }

  void fill_gradient(std::int64_t block) {
    const std::span<const OverlapLoss> losses =
        std::span(losses_).subspan(row_of(blocks_.image(block)), classes_);
    for (std::int64_t i = blocks_.begin(block); i < blocks_.end(block); ++i) {
      if (!is_counted(i)) continue;
      const std::span<const float> row = scores_.row(i);
      const std::span<float> gradient = scores_.gradient_row(i);
      for (std::size_t k = 0; k < classes_; ++k) {
        const bool hit = is_valid(i) && label(i) == static_cast<int>(k);
        const double slope = power_slope(static_cast<double>(row[k]), options_.exponent);
        gradient[k] = static_cast<float>(losses[k].by_predicted * slope + (hit ? losses[k].by_hit : 0));
      }
      softmax_backward_row(row, gradient);
    }
  }

  const HostScores& scores_;
  const LabelMap& labels_;
  const OverlapOptions& options_;
  const HostThreads& threads_;
  const LossOf& loss_of_;
  PixelBlocks blocks_;
  std::size_t classes_;
  std::vector<Overlap> regions_;     // [images, classes]
  std::vector<OverlapLoss> losses_;  // [images, classes]
  std::vector<std::int64_t> valid_;  // [images]
};

}  // namespace dformer::detail
