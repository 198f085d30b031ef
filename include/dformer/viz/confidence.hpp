#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <string>

#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

#include <dformer/data/describe_image.hpp>
#include <dformer/data/image_error.hpp>
#include <dformer/viz/beside.hpp>
#include <dformer/viz/text.hpp>

namespace dformer {

/// Colour scales whose lightness rises evenly, so that equal steps look equal.
enum class ColorScale { viridis, inferno };

struct ConfidenceOptions {
  ColorScale scale = ColorScale::viridis;
  bool scale_bar = true;  ///< a bar to the right that shows what the colours mean
};

namespace detail {

/// 8-bit levels, [H, W], in the colours of a scale.
inline cv::Mat apply_scale(const cv::Mat& levels, ColorScale scale) {
  cv::Mat picture;
  cv::applyColorMap(levels, picture,
                    scale == ColorScale::viridis ? cv::COLORMAP_VIRIDIS : cv::COLORMAP_INFERNO);
  return picture;
}

/// A vertical bar from 1 at the top to 0, with its values.
inline cv::Mat scale_bar_panel(int picture_height, ColorScale scale) {
  const int height = std::max(picture_height, 72);
  const int capital = std::clamp(height / 60, 7, 18);
  const int margin = 2 * capital;
  const int bar_width = 2 * capital;
  const int bar_height = height - 2 * margin;
  const int tick = capital / 2;
  const int width = margin + bar_width + 2 * tick + text_width("0.00", capital) + margin;
  cv::Mat panel(height, width, CV_8UC3, cv::Scalar(252, 252, 252));

  cv::Mat levels(bar_height, bar_width, CV_8UC1);
  for (int y = 0; y < bar_height; ++y) levels.row(y).setTo(255 - 255 * y / (bar_height - 1));
  const cv::Rect place(margin, margin, bar_width, bar_height);
  apply_scale(levels, scale).copyTo(panel(place));
  cv::rectangle(panel, place, cv::Scalar(110, 114, 120), 1);

  const int steps = bar_height > 12 * capital ? 4 : 2;
  for (int i = 0; i <= steps; ++i) {
    const int y = margin + (bar_height - 1) * i / steps;
    char text[8];
    std::snprintf(text, sizeof text, "%.2f", 1.0 - static_cast<double>(i) / steps);
    cv::line(panel, {margin + bar_width, y}, {margin + bar_width + tick, y}, cv::Scalar(110, 114, 120), 1);
    draw_text(panel, text, margin + bar_width + 2 * tick, y, capital, cv::Vec3b(38, 34, 32));
  }
  return panel;
}

}  // namespace detail

/// Draws confidences, [H, W] 32-bit float with 0 unsure and 1 sure, in colours; values outside are drawn as
/// the nearer end and NaN in grey. The result is 8-bit B, G, R, as large as the map, wider with
/// `options.scale_bar`. Throws: ImageError for another type of image.
inline cv::Mat confidence_image(const cv::Mat& confidence, const ConfidenceOptions& options = {}) {
  if (confidence.empty() || confidence.dims != 2 || confidence.type() != CV_32FC1) {
    throw_image_error("confidence_image",
                      "expected confidences, 32-bit float with 1 channel, got " + describe(confidence));
  }
  cv::Mat levels(confidence.size(), CV_8UC1);
  cv::Mat unknown = cv::Mat::zeros(confidence.size(), CV_8UC1);
  for (int y = 0; y < confidence.rows; ++y) {
    const float* from = confidence.ptr<float>(y);
    for (int x = 0; x < confidence.cols; ++x) {
      const float value = std::isnan(from[x]) ? 0.0f : std::clamp(from[x], 0.0f, 1.0f);
      levels.at<std::uint8_t>(y, x) = static_cast<std::uint8_t>(std::lround(255.0f * value));
      if (std::isnan(from[x])) unknown.at<std::uint8_t>(y, x) = 255;
    }
  }
  cv::Mat picture = detail::apply_scale(levels, options.scale);
  picture.setTo(cv::Scalar(128, 128, 128), unknown);
  if (!options.scale_bar) return picture;
  return detail::place_beside(picture, detail::scale_bar_panel(picture.rows, options.scale));
}

}  // namespace dformer
