#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <opencv2/core.hpp>

#include <dformer/core/number_text.hpp>
#include <dformer/data/depth_encoding.hpp>
#include <dformer/data/depth_stretch.hpp>

namespace dformer {

/// What a sample of at most about 10,000 pixels says about a depth image, in stored steps.
struct DepthSummary {
  double median = 0;      ///< of the valid pixels; 0 where there are none
  double hole_share = 0;  ///< 0 … 1
};

/// `depth` is [H, W] with 1 channel of element type Pixel (std::uint16_t or float).
template <class Pixel>
DepthSummary summarize_depth(const cv::Mat& depth) {
  const std::size_t total = depth.total();
  const std::size_t stride = std::max<std::size_t>(1, total / 10000);
  std::vector<Pixel> valid;
  valid.reserve(total / stride + 1);
  std::size_t seen = 0;
  for (std::size_t i = 0; i < total; i += stride, ++seen) {
    const auto columns = static_cast<std::size_t>(depth.cols);
    const Pixel value = depth.ptr<Pixel>(static_cast<int>(i / columns))[i % columns];
    if (!is_depth_hole(value)) valid.push_back(value);
  }
  if (valid.empty()) return {0, 1};
  const auto middle = valid.begin() + static_cast<std::ptrdiff_t>(valid.size() / 2);
  std::nth_element(valid.begin(), middle, valid.end());
  return {static_cast<double>(*middle),
          1.0 - static_cast<double>(valid.size()) / static_cast<double>(std::max<std::size_t>(seen, 1))};
}

/// The median depths, in metres, between which a unit is believed. Indoor scenes have medians of 1 to 5 m.
struct PlausibleDepth {
  double nearest = 0.3;
  double farthest = 10.0;
  bool contains(double metres) const { return metres >= nearest && metres <= farthest; }
};

namespace detail {

inline std::string metres_text(double metres) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3g m", metres);
  return text;
}

/// The units, other than `not_this`, in which a median of stored steps is a plausible depth: "sun (3.07 m)".
template <class Pixel>
std::vector<std::string> fitting_units(double median, std::string_view not_this,
                                       const PlausibleDepth& plausible) {
  std::vector<std::string> fitting;
  const auto consider = [&](auto encoding) {
    const double metres = median / encoding.steps_per_metre;
    if (encoding.name != not_this && plausible.contains(metres)) {
      fitting.push_back(std::string(encoding.name) + " (" + metres_text(metres) + ")");
    }
  };
  if constexpr (std::same_as<Pixel, std::uint16_t>) {
    consider(MillimetreDepth{});
    consider(SunDepth{});
    consider(TumDepth{});
  } else {
    consider(MetreDepth{});
  }
  return fitting;
}

/// "; did you mean sun (3.07 m) or tum (4.91 m)?"; empty where no other unit fits.
template <class Pixel>
std::string other_units(double median, std::string_view not_this, const PlausibleDepth& plausible) {
  if (std::same_as<Pixel, float> && plausible.contains(median / 1000.0)) {
    return "; these look like millimetres, divide by 1000 (" + metres_text(median / 1000.0) + ")";
  }
  const std::vector<std::string> fitting = fitting_units<Pixel>(median, not_this, plausible);
  std::string text;
  for (std::size_t i = 0; i < fitting.size(); ++i) text += (i == 0 ? "; did you mean " : " or ") + fitting[i];
  return fitting.empty() ? text : text + "?";
}

/// Whether all valid pixels hold the same. Every pixel counts, not a sample: of a sound image two of the
/// first few differ.
template <class Pixel>
bool has_one_value(const cv::Mat& depth) {
  std::optional<Pixel> first;
  for (int y = 0; y < depth.rows; ++y) {
    const Pixel* row = depth.ptr<Pixel>(y);
    for (int x = 0; x < depth.cols; ++x) {
      if (is_depth_hole(row[x])) continue;
      if (!first) first = row[x];
      if (row[x] < *first || row[x] > *first) return false;
    }
  }
  return first.has_value();
}

}  // namespace detail

/// What looks wrong with a metric depth image; empty when nothing does. A wrong unit does not change the
/// encoded picture (the stretch removes it), only depth in metres; but it is a sign that the depth is not
/// what the program was told.
template <MetricDepth Encoding>
std::vector<std::string> check_metric_depth(const cv::Mat& depth, const PlausibleDepth& plausible = {}) {
  using Pixel = typename Encoding::Pixel;
  const DepthSummary summary = summarize_depth<Pixel>(depth);
  if (summary.hole_share >= 1.0) return {"no valid depth: every pixel looked at is a hole"};
  const std::string holes = std::to_string(static_cast<int>(100 * summary.hole_share)) + " %";
  if (detail::has_one_value<Pixel>(depth)) {  // its unit does not matter then
    return {"the depth image has one value only (" + number_text(summary.median) +
            (summary.hole_share > 0 ? "; holes: " + holes : "") + "): it carries no depth"};
  }
  std::vector<std::string> warnings;
  const double metres = summary.median / Encoding::steps_per_metre;
  if (!plausible.contains(metres)) {
    warnings.push_back("median depth " + detail::metres_text(metres) + " when read as " +
                       std::string(Encoding::name) +
                       detail::other_units<Pixel>(summary.median, Encoding::name, plausible));
  }
  if (summary.hole_share > 0.5) {
    warnings.push_back("more than half of the depth pixels are holes (" + holes + ")");
  }
  return warnings;
}

/// The same for an 8-bit depth picture, which has no unit: notices metres that were stored in 8 bits.
inline std::vector<std::string> check_grey_depth(const cv::Mat& grey) {
  double low = 0;
  double high = 0;
  cv::minMaxLoc(grey, &low, &high);
  const std::string range =
      std::to_string(static_cast<int>(low)) + " to " + std::to_string(static_cast<int>(high));
  if (low == high) return {"the depth picture has one value only (" + range + "): it carries no depth"};
  if (high <= 20) {
    return {"the depth picture holds " + range +
            " only: whole metres in 8 bits? Expected 0 (near) to 255 (far)"};
  }
  return {};
}

}  // namespace dformer
