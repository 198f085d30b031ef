#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <support/backend_under_test.hpp>

#include <dformer/losses/loss.hpp>

namespace dformer::testing {

/// A label map with its bytes.
struct Labels {
  std::vector<std::uint8_t> bytes;
  std::int64_t count = 0;
  std::int64_t height = 0;
  std::int64_t width = 0;

  operator LabelMap() const { return {bytes, count, height, width}; }
};

inline Labels labels_of(const Array& array) {
  Labels labels{{}, array.shape[0], array.shape[1], array.shape[2]};
  for (float value : array.values) labels.bytes.push_back(static_cast<std::uint8_t>(value));
  return labels;
}

/// Scores [N, H, W, K] from [N, K, H, W] or, where there is one a pixel, from [N, H, W].
inline Array scores_of(const Array& array) {
  if (array.shape.rank() == 4) return to_nhwc(array);
  return {{array.shape[0], array.shape[1], array.shape[2], 1}, array.values};
}

inline Array times(Array array, double factor) {
  for (float& value : array.values) value = static_cast<float>(static_cast<double>(value) * factor);
  return array;
}

}  // namespace dformer::testing
