#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <opencv2/core.hpp>

#include <dformer/core/color_order.hpp>
#include <dformer/core/error.hpp>
#include <dformer/data/sample.hpp>

namespace dformer {

/// The official constants of `(value / 255 - mean) / deviation`. Those of colour are ImageNet's for R, G, B,
/// and are applied to the first, second and third channel in whichever order the network reads them.
inline constexpr std::array<double, 3> color_mean{0.485, 0.456, 0.406};
inline constexpr std::array<double, 3> color_deviation{0.229, 0.224, 0.225};
inline constexpr double depth_mean = 0.48;
inline constexpr double depth_deviation = 0.28;

/// The normalised value of each of the 256 bytes: computed in double and rounded once, so results depend
/// neither on the processor nor on compiler options.
using NormalizationTable = std::array<float, 256>;

constexpr NormalizationTable normalization_table(double mean, double deviation) {
  NormalizationTable table{};
  for (std::size_t value = 0; value < table.size(); ++value) {
    table[value] = static_cast<float>((static_cast<double>(value) / 255.0 - mean) / deviation);
  }
  return table;
}

inline constexpr std::array<NormalizationTable, 3> color_tables{
    normalization_table(color_mean[0], color_deviation[0]),
    normalization_table(color_mean[1], color_deviation[1]),
    normalization_table(color_mean[2], color_deviation[2])};
inline constexpr NormalizationTable depth_table = normalization_table(depth_mean, depth_deviation);

namespace detail {

inline void require_room(std::span<const float> out, std::size_t needed, const std::string& function) {
  if (out.size() == needed) return;
  throw_argument_error("[" + function + "] the buffer must hold " + std::to_string(needed) +
                       " floats (H * W * channels of the image), got room for " + std::to_string(out.size()));
}

}  // namespace detail

/// Writes the colour image, [H, W] 8-bit B, G, R, as [1, H, W, 3] into the caller's buffer.
/// Throws: ImageError for another type of image, ArgumentError for a buffer of another size.
inline void normalize_color(const cv::Mat& bgr, ColorOrder order, std::span<float> out) {
  if (bgr.empty() || bgr.type() != CV_8UC3) {
    throw_image_error("normalize_color", "expected 8-bit with 3 channels, got " + describe(bgr));
  }
  detail::require_room(out, bgr.total() * 3, "normalize_color");
  const std::size_t first = order == ColorOrder::bgr ? 0 : 2;
  float* to = out.data();
  for (int y = 0; y < bgr.rows; ++y) {
    const std::uint8_t* from = bgr.ptr<std::uint8_t>(y);
    for (int x = 0; x < bgr.cols; ++x, from += 3, to += 3) {
      to[0] = color_tables[0][from[first]];
      to[1] = color_tables[1][from[1]];
      to[2] = color_tables[2][from[2 - first]];
    }
  }
}

/// Writes encoded depth, [H, W] 8-bit, as [1, H, W, 1] into the caller's buffer. One channel: the official
/// networks receive it three times over and read the first. Throws: as `normalize_color`.
inline void normalize_depth(const cv::Mat& grey, std::span<float> out) {
  if (grey.empty() || grey.type() != CV_8UC1) {
    throw_image_error("normalize_depth",
                      "expected 8-bit with 1 channel (encode_depth makes it), got " + describe(grey));
  }
  detail::require_room(out, grey.total(), "normalize_depth");
  float* to = out.data();
  for (int y = 0; y < grey.rows; ++y) {
    const std::uint8_t* from = grey.ptr<std::uint8_t>(y);
    for (int x = 0; x < grey.cols; ++x) *to++ = depth_table[from[x]];
  }
}

/// The two inputs of a network on the host, row-major, channels last.
struct NormalizedImage {
  int height = 0;
  int width = 0;
  std::vector<float> color;  ///< [1, H, W, 3]
  std::vector<float> depth;  ///< [1, H, W, 1]
};

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
