#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include <dformer/backend/gradients.hpp>

namespace dformer {

/// How often each value of a label occurs.
inline std::array<std::int64_t, 256> count_labels(std::span<const std::uint8_t> labels) {
  // Neighbours mostly have one label; counting it in several places, they need not wait for one another.
  std::array<std::array<std::int64_t, 256>, 4> counts{};
  for (std::size_t i = 0; i < labels.size(); ++i) ++counts[i % 4][labels[i]];
  for (std::size_t label = 0; label < 256; ++label) {
    counts[0][label] += counts[1][label] + counts[2][label] + counts[3][label];
  }
  return counts[0];
}

/// With what weights a pixel enters a cross entropy, for each value of its label c. It loses
///
///     total[c] * log(sum of exp(logits)) - target[c] * logit[c] - sum of smoothing * logits
struct CrossEntropyWeights {
  CrossEntropyWeights(std::int64_t classes, const CrossEntropyOptions& options) {
    const auto count = static_cast<std::size_t>(classes);
    const double smoothed = static_cast<double>(options.label_smoothing);
    double all = 0;
    for (std::size_t c = 0; c < of_class.size(); ++c) {
      const bool weighted = c < count && !options.class_weight.empty();
      of_class[c] = weighted ? static_cast<double>(options.class_weight[c]) : 1.0;
      counted[c] = c < count && static_cast<int>(c) != options.ignore_index;
      if (c < count) all += of_class[c];
    }
    const double share_of_each = smoothed / static_cast<double>(classes);
    for (std::size_t c = 0; c < of_class.size(); ++c) {
      target[c] = (1 - smoothed) * of_class[c];
      total[c] = target[c] + share_of_each * all;
      smoothing[c] = c < count ? share_of_each * of_class[c] : 0.0;
    }
  }

  /// What a loss has of labels that occur so often: pixels and their weight.
  template <class Tensor>
  SummedLoss<Tensor> loss_of(const std::array<std::int64_t, 256>& counts) const {
    SummedLoss<Tensor> loss;
    for (std::size_t c = 0; c < counts.size(); ++c) {
      if (!counted[c]) continue;
      loss.pixels += counts[c];
      loss.weight += static_cast<double>(counts[c]) * of_class[c];
    }
    return loss;
  }

  /// What its gradient is multiplied by.
  template <class Tensor>
  static double gradient_scale(const CrossEntropyOptions& options, const SummedLoss<Tensor>& loss) {
    return options.gradient_scale ? options.gradient_scale(loss.pixels, loss.weight) : 1.0;
  }

  std::array<bool, 256> counted{};     ///< whether it takes part
  std::array<double, 256> of_class{};  ///< the weight that was given
  std::array<double, 256> total{};
  std::array<double, 256> target{};
  std::array<double, 256> smoothing{};  ///< 0 beyond the classes
};

}  // namespace dformer
