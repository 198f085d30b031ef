#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include <opencv2/core.hpp>

#include <dformer/core/color_order.hpp>
#include <dformer/data/normalization.hpp>
#include <dformer/data/sample.hpp>

namespace dformer {

namespace detail {

/// The bytes of a row of an 8-bit image.
inline std::span<const std::uint8_t> row_bytes(const cv::Mat& image, int row) {
  return {image.ptr<std::uint8_t>(row), static_cast<std::size_t>(image.cols) * image.elemSize()};
}

}  // namespace detail

/// Writes the colour image, [H, W] 8-bit B, G, R, as [1, H, W, 3] into the caller's buffer.
/// Throws: ImageError for another type of image, ArgumentError for a buffer of another size.
inline void normalize_color(const cv::Mat& bgr, ColorOrder order, std::span<float> out) {
  if (bgr.empty() || bgr.type() != CV_8UC3) {
    throw_image_error("normalize_color", "expected 8-bit with 3 channels, got " + describe(bgr));
  }
  detail::require_room(out, bgr.total() * 3, "normalize_color");
  for (int y = 0; y < bgr.rows; ++y) {
    const auto row = detail::row_bytes(bgr, y);
    normalize_color(row, order, out.subspan(static_cast<std::size_t>(y) * row.size(), row.size()));
  }
}

/// Writes depth, [H, W] encoded in 8 bits or float metres, as [1, H, W, 1] into the caller's buffer. Throws:
/// as `normalize_color`.
inline void normalize_depth(const cv::Mat& depth, std::span<float> out) {
  if (depth.empty() || (depth.type() != CV_8UC1 && depth.type() != CV_32FC1)) {
    throw_image_error("normalize_depth",
                      "expected 8-bit with 1 channel (encode_depth makes it) or float metres "
                      "(depth_in_metres), got " +
                          describe(depth));
  }
  detail::require_room(out, depth.total(), "normalize_depth");
  const auto columns = static_cast<std::size_t>(depth.cols);
  for (int y = 0; y < depth.rows; ++y) {
    const std::span<float> row = out.subspan(static_cast<std::size_t>(y) * columns, columns);
    if (depth.type() == CV_8UC1) {
      normalize_depth(detail::row_bytes(depth, y), row);
    } else {
      normalize_metres({depth.ptr<float>(y), columns}, row);
    }
  }
}

/// Both inputs at once, in buffers of their own. Throws: ImageError unless `image` is a valid pair.
inline NormalizedImage normalize(const RgbdImage& image, ColorOrder order = ColorOrder::bgr) {
  require_valid(image, "normalize");
  NormalizedImage result{image.height(), image.width(), {}, {}};
  result.color.resize(image.color.total() * 3);
  result.depth.resize(image.depth.total());
  normalize_color(image.color, order, result.color);
  normalize_depth(image.depth, result.depth);
  return result;
}

}  // namespace dformer
