#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

#include <dformer/data/greys_colormap.hpp>
#include <dformer/data/hole_policy.hpp>

namespace dformer {

inline bool is_depth_hole(std::uint16_t value) {
  return value == 0 || value == 65535;
}
inline bool is_depth_hole(float value) {
  return !(value > 0.0f && value <= std::numeric_limits<float>::max());
}

namespace detail {

/// The values between which a depth image is stretched.
struct DepthRange {
  float low = std::numeric_limits<float>::infinity();
  float high = -std::numeric_limits<float>::infinity();

  void include(float value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
  bool empty() const { return !(low <= high); }

  /// In float32 and in this order, as the official pictures were made.
  std::uint8_t grey(float value) const {
    if (!(low < high)) return greys_r[0];
    const float level = (value - low) / (high - low) * 256.0f;
    return greys_r[level >= 256.0f ? 255 : static_cast<std::size_t>(level)];
  }
};

inline float stored_depth(std::uint16_t value) {
  return value;
}
inline float stored_depth(float value) {
  return is_depth_hole(value) ? 0.0f : value;
}

/// Copies into each hole of `grey` the grey of the nearest pixel that is none. At least one pixel must be
/// valid.
inline void fill_holes_from_nearest(cv::Mat& grey, const cv::Mat& holes) {
  cv::Mat distance;
  cv::Mat label;  // of each pixel: the number of its nearest valid pixel
  cv::distanceTransform(holes, distance, label, cv::DIST_L2, cv::DIST_MASK_5, cv::DIST_LABEL_PIXEL);
  std::vector<std::uint8_t> grey_of_label(grey.total() + 1);
  for (int y = 0; y < grey.rows; ++y) {
    for (int x = 0; x < grey.cols; ++x) {
      if (holes.at<std::uint8_t>(y, x) == 0) {
        grey_of_label[static_cast<std::size_t>(label.at<int>(y, x))] = grey.at<std::uint8_t>(y, x);
      }
    }
  }
  for (int y = 0; y < grey.rows; ++y) {
    for (int x = 0; x < grey.cols; ++x) {
      if (holes.at<std::uint8_t>(y, x) != 0) {
        grey.at<std::uint8_t>(y, x) = grey_of_label[static_cast<std::size_t>(label.at<int>(y, x))];
      }
    }
  }
}

}  // namespace detail

/// Stretches a depth image between its own smallest and largest value and draws it with `greys_r`: the
/// official 8-bit representation. The unit cancels. An image of one value, or of holes only under a policy
/// that leaves them out, becomes 0 everywhere. Pixel is std::uint16_t or float and must be the element type
/// of `depth`, [H, W] with 1 channel.
template <class Pixel>
cv::Mat stretch_depth(const cv::Mat& depth, HolePolicy policy) {
  const bool keep = policy == HolePolicy::keep;
  detail::DepthRange range;
  for (int y = 0; y < depth.rows; ++y) {
    const Pixel* row = depth.ptr<Pixel>(y);
    for (int x = 0; x < depth.cols; ++x) {
      if (keep || !is_depth_hole(row[x])) range.include(detail::stored_depth(row[x]));
    }
  }
  cv::Mat grey = cv::Mat::zeros(depth.size(), CV_8UC1);
  if (range.empty()) return grey;

  const std::uint8_t grey_of_hole = policy == HolePolicy::as_far ? 255 : 0;
  cv::Mat holes;
  if (policy == HolePolicy::fill) holes = cv::Mat::zeros(depth.size(), CV_8UC1);
  bool any_hole = false;
  for (int y = 0; y < depth.rows; ++y) {
    const Pixel* row = depth.ptr<Pixel>(y);
    std::uint8_t* out = grey.ptr<std::uint8_t>(y);
    for (int x = 0; x < depth.cols; ++x) {
      if (keep || !is_depth_hole(row[x])) {
        out[x] = range.grey(detail::stored_depth(row[x]));
      } else {
        out[x] = grey_of_hole;
        any_hole = true;
        if (!holes.empty()) holes.at<std::uint8_t>(y, x) = 255;
      }
    }
  }
  if (policy == HolePolicy::fill && any_hole) detail::fill_holes_from_nearest(grey, holes);
  return grey;
}

}  // namespace dformer
