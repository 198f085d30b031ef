#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include <opencv2/core.hpp>

namespace dformer {

/// How many pixels have each label, over a whole data set.
struct LabelCounts {
  std::array<std::uint64_t, 256> pixels{};

  void add(const cv::Mat& labels) {
    for (int y = 0; y < labels.rows; ++y) {
      const std::uint8_t* row = labels.ptr<std::uint8_t>(y);
      for (int x = 0; x < labels.cols; ++x) ++pixels[row[x]];
    }
  }
  /// Of all pixels, 0 … 1.
  double share(std::size_t label) const {
    std::uint64_t total = 0;
    for (std::uint64_t count : pixels) total += count;
    return total == 0 ? 0 : static_cast<double>(pixels[label]) / static_cast<double>(total);
  }
};

}  // namespace dformer
