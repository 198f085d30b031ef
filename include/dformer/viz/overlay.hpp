#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>

#include <opencv2/core.hpp>

#include <dformer/core/error.hpp>
#include <dformer/data/classes.hpp>
#include <dformer/data/describe_image.hpp>
#include <dformer/data/image_error.hpp>
#include <dformer/viz/beside.hpp>
#include <dformer/viz/label_image.hpp>
#include <dformer/viz/legend.hpp>
#include <dformer/viz/palette.hpp>

namespace dformer {

struct OverlayOptions {
  double opacity = 0.55;  ///< of the class colours: 0 shows the image alone, 1 the labels alone
  bool outlines = true;   ///< a light line where two classes meet
  bool legend = true;     ///< a panel to the right that names the classes present
  const Palette* palette = &voc_palette;
};

namespace detail {

/// Whether another class begins within `reach` pixels to the right or below.
inline bool is_outline(const cv::Mat& labels, int y, int x, int reach) {
  const std::uint8_t here = labels.at<std::uint8_t>(y, x);
  const int right = std::min(x + reach, labels.cols - 1);
  const int below = std::min(y + reach, labels.rows - 1);
  return labels.at<std::uint8_t>(y, right) != here || labels.at<std::uint8_t>(below, x) != here;
}

}  // namespace detail

/// Class colours laid over the colour image. Ignored pixels (255) show the image alone.
/// color: [H, W] 8-bit B, G, R; labels: [H, W] 8-bit class indices. The result is as large as the image, with
/// `options.legend` wider.
/// Throws: ImageError for other types or sizes that differ; ArgumentError for an opacity outside 0 … 1.
inline cv::Mat overlay(const cv::Mat& color, const cv::Mat& labels, const ClassList& classes,
                       const OverlayOptions& options = {}) {
  if (color.empty() || color.type() != CV_8UC3) {
    throw_image_error("overlay", "expected a colour image, 8-bit with 3 channels, got " + describe(color));
  }
  if (labels.empty() || labels.type() != CV_8UC1 || labels.size() != color.size()) {
    throw_image_error("overlay", "expected a label map, 8-bit with 1 channel and the size of the image, " +
                                     describe(color) + "; got " + describe(labels));
  }
  if (!(options.opacity >= 0.0 && options.opacity <= 1.0)) {
    throw_argument_error("[overlay] opacity must lie in 0 … 1, got " + std::to_string(options.opacity));
  }
  const int opacity = static_cast<int>(std::lround(256 * options.opacity));
  const int line_width = std::max(1, static_cast<int>(std::lround(color.rows / 540.0)));
  const cv::Vec3b line_color(255, 255, 255);
  constexpr int line_opacity = 190;
  cv::Mat picture(color.size(), CV_8UC3);
  for (int y = 0; y < color.rows; ++y) {
    const cv::Vec3b* image_row = color.ptr<cv::Vec3b>(y);
    const std::uint8_t* label_row = labels.ptr<std::uint8_t>(y);
    cv::Vec3b* out = picture.ptr<cv::Vec3b>(y);
    for (int x = 0; x < color.cols; ++x) {
      const bool outline = options.outlines && detail::is_outline(labels, y, x, line_width);
      const cv::Vec3b paint = outline ? line_color : to_bgr((*options.palette)[label_row[x]]);
      int weight = outline ? line_opacity : opacity;
      if (!outline && label_row[x] == ignored_label) weight = 0;
      for (int c = 0; c < 3; ++c) {
        out[x][c] =
            static_cast<std::uint8_t>((image_row[x][c] * (256 - weight) + paint[c] * weight + 128) >> 8);
      }
    }
  }
  if (!options.legend) return picture;
  return detail::place_beside(picture,
                              legend_panel(legend_entries(labels, classes), color.rows, *options.palette));
}

}  // namespace dformer
