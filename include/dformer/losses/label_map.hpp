#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include <dformer/backend/shapes.hpp>
#include <dformer/core/error.hpp>
#include <dformer/core/shape.hpp>

namespace dformer {

/// The true class of every pixel of a batch: borrowed host bytes [N, height, width], row-major.
struct LabelMap {
  std::span<const std::uint8_t> labels{};
  std::int64_t count = 0;
  std::int64_t height = 0;
  std::int64_t width = 0;

  std::int64_t pixels() const { return height * width; }  ///< of one image
};

namespace detail {

/// Throws: ShapeError when logits are not [N, h, w, K] with the labels' N, or the bytes do not fill the map.
inline void require_label_shape(const char* loss, const Shape& logits, const LabelMap& labels) {
  const Shape map{labels.count, labels.height, labels.width};
  if (logits.rank() != 4 || logits.numel() < 1 || logits[0] != labels.count || labels.pixels() < 1) {
    shapes::fail(loss, "logits [N, h, w, K] and labels [N, height, width] of as many images expected",
                 {logits, map});
  }
  if (static_cast<std::int64_t>(labels.labels.size()) != map.numel()) {
    shapes::fail(loss, std::to_string(labels.labels.size()) + " labels do not fill the label map", {map});
  }
}

/// Throws: ArgumentError when a label is neither one of `num_classes` classes nor `ignore_index`.
inline void require_labels(const char* loss, const LabelMap& labels, std::int64_t num_classes,
                           int ignore_index) {
  std::array<bool, 256> found{};
  for (std::uint8_t label : labels.labels) found[label] = true;
  for (std::size_t label = 0; label < found.size(); ++label) {
    const auto value = static_cast<std::int64_t>(label);
    if (!found[label] || value < num_classes || value == ignore_index) continue;
    const auto at = std::find(labels.labels.begin(), labels.labels.end(), static_cast<std::uint8_t>(label)) -
                    labels.labels.begin();
    throw_argument_error("[" + std::string(loss) + "] labels from 0 to " + std::to_string(num_classes - 1) +
                         ", or " + std::to_string(ignore_index) + " for pixels to ignore, expected; got " +
                         std::to_string(label) + " in image " + std::to_string(at / labels.pixels()) +
                         ", row " + std::to_string(at % labels.pixels() / labels.width) + ", column " +
                         std::to_string(at % labels.width) +
                         ". Check the number of classes and how the data set numbers them");
  }
}

/// Throws: ArgumentError when there are weights, but not one for each class.
inline void require_class_weight(const char* loss, std::span<const float> weight, std::int64_t num_classes) {
  if (weight.empty() || static_cast<std::int64_t>(weight.size()) == num_classes) return;
  throw_argument_error("[" + std::string(loss) + "] one weight for each of " + std::to_string(num_classes) +
                       " classes expected, or none; got " + std::to_string(weight.size()));
}

/// The weight of a class: 1 where none were given.
inline double weight_of(std::span<const float> weight, std::size_t k) {
  return weight.empty() ? 1.0 : static_cast<double>(weight[k]);
}

}  // namespace detail
}  // namespace dformer
