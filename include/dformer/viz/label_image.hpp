#pragma once

#include <cstddef>
#include <cstdint>

#include <opencv2/core.hpp>

#include <dformer/data/describe_image.hpp>
#include <dformer/data/image_error.hpp>
#include <dformer/viz/palette.hpp>

namespace dformer {

inline cv::Vec3b to_bgr(Rgb color) {
  return {color.b, color.g, color.r};
}

/// Draws a label map, [H, W] 8-bit class indices, as a picture [H, W] 8-bit B, G, R: class k in colour k, as
/// the official evaluation does. Throws: ImageError.
inline cv::Mat label_image(const cv::Mat& labels, const Palette& palette = voc_palette) {
  if (labels.empty() || labels.type() != CV_8UC1) {
    throw_image_error("label_image", "expected a label map, 8-bit with 1 channel, got " + describe(labels));
  }
  cv::Mat picture(labels.size(), CV_8UC3);
  for (int y = 0; y < labels.rows; ++y) {
    const std::uint8_t* from = labels.ptr<std::uint8_t>(y);
    cv::Vec3b* to = picture.ptr<cv::Vec3b>(y);
    for (int x = 0; x < labels.cols; ++x) to[x] = to_bgr(palette[from[x]]);
  }
  return picture;
}

}  // namespace dformer
