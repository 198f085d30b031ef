#pragma once

#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>

#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

namespace dformer {

/// Whether `draw_text` can show a text: OpenCV's built-in fonts have the printable ASCII characters only.
inline bool is_drawable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

namespace detail {

/// Text is drawn this much larger and averaged down: smooth at the small sizes where OpenCV's own is not.
inline constexpr int text_oversampling = 4;
inline constexpr int text_font = cv::FONT_HERSHEY_DUPLEX;

struct LargeText {
  double scale;
  int thickness;
  int baseline = 0;
  cv::Size size;

  LargeText(const std::string& text, int capital_height) {
    constexpr double font_units = 21;  // height of a capital at scale 1
    scale = text_oversampling * capital_height / font_units;
    thickness = std::max(1, static_cast<int>(std::lround(0.105 * text_oversampling * capital_height)));
    size = cv::getTextSize(text, text_font, scale, thickness, &baseline);
  }
};

}  // namespace detail

/// Width in pixels of a text whose capitals are `capital_height` pixels high.
inline int text_width(const std::string& text, int capital_height) {
  const detail::LargeText large(text, capital_height);
  return (large.size.width + large.thickness) / detail::text_oversampling + 1;
}

/// Draws a line of text over `canvas` (8-bit B, G, R), its left end at `left` and its capitals centred on the
/// row `middle`; parts outside of the canvas are cut off.
inline void draw_text(cv::Mat& canvas, const std::string& text, int left, int middle, int capital_height,
                      cv::Vec3b color) {
  constexpr int factor = detail::text_oversampling;
  const detail::LargeText large(text, capital_height);
  const int width = text_width(text, capital_height);
  const int height = 3 * capital_height;  // room for ascenders and descenders
  cv::Mat coverage = cv::Mat::zeros(height * factor, width * factor, CV_8UC1);
  cv::putText(coverage, text, {large.thickness / 2, 2 * capital_height * factor}, detail::text_font,
              large.scale, cv::Scalar(255), large.thickness, cv::LINE_AA);
  cv::resize(coverage, coverage, {width, height}, 0, 0, cv::INTER_AREA);

  const int top = middle - (3 * capital_height) / 2;
  for (int y = std::max(0, -top); y < height && top + y < canvas.rows; ++y) {
    for (int x = std::max(0, -left); x < width && left + x < canvas.cols; ++x) {
      const int weight = coverage.at<unsigned char>(y, x);
      if (weight == 0) continue;
      cv::Vec3b& pixel = canvas.at<cv::Vec3b>(top + y, left + x);
      for (int c = 0; c < 3; ++c) {
        pixel[c] = static_cast<unsigned char>((pixel[c] * (255 - weight) + color[c] * weight + 127) / 255);
      }
    }
  }
}

/// The text, or as much of its beginning as fits `width` pixels, with dots after it.
inline std::string fit_text(const std::string& text, int width, int capital_height) {
  if (text_width(text, capital_height) <= width) return text;
  std::string cut = text;
  while (cut.size() > 1 && text_width(cut + "...", capital_height) > width) cut.pop_back();
  return cut + "...";
}

}  // namespace dformer
