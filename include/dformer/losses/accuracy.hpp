#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include <dformer/losses/on_host.hpp>

namespace dformer {

/// The share, 0 ... 1, of pixels whose true class is among the `top` classes with the largest scores; NaN
/// where all are ignored. Not a loss: what is logged beside one. Shapes and errors as those of a loss; throws
/// ArgumentError also where there are fewer than `top` classes.
template <class B>
double accuracy(const TensorOf<B>& logits, const LabelMap& labels, int top = 1, int ignore_index = 255) {
  detail::require_label_shape("accuracy", logits.shape(), labels);
  const Shape& x = logits.shape();
  detail::require_labels("accuracy", labels, x[3], ignore_index);
  if (top < 1 || top > x[3]) {
    throw_argument_error("[accuracy] top from 1 to " + std::to_string(x[3]) + " expected, got " +
                         std::to_string(top));
  }
  const bool same_size = x[1] == labels.height && x[2] == labels.width;
  const auto classes = static_cast<std::size_t>(x[3]);
  std::vector<float> scores(labels.labels.size() * classes);
  B::to_host(same_size ? logits : B::resize_bilinear(logits, labels.height, labels.width, false), scores);

  std::int64_t valid = 0;
  std::int64_t correct = 0;
  for (std::size_t i = 0; i < labels.labels.size(); ++i) {
    const std::size_t label = labels.labels[i];
    if (static_cast<int>(label) == ignore_index) continue;
    const float* row = scores.data() + i * classes;
    const auto above = std::count_if(row, row + classes, [&](float score) { return score > row[label]; });
    ++valid;
    correct += above < top ? 1 : 0;
  }
  return valid == 0 ? std::numeric_limits<double>::quiet_NaN()
                    : static_cast<double>(correct) / static_cast<double>(valid);
}

}  // namespace dformer
