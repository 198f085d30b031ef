#pragma once

#include <span>
#include <string>
#include <type_traits>
#include <variant>

#include <opencv2/core.hpp>

#include <dformer/data/encode_depth.hpp>
#include <dformer/data/normalize.hpp>
#include <dformer/data/read_images.hpp>

/// Depth as a length, for networks that read metres.
namespace dformer {

/// Depth of a unit that is known at compile time as metres: [H, W] 32-bit float, holes 0. Throws: ImageError
/// for an image of another type than Encoding::Pixel with 1 channel. `subject` begins its text.
template <MetricDepth Encoding>
cv::Mat depth_in_metres(const cv::Mat& depth, const std::string& subject = "depth_in_metres") {
  using Pixel = typename Encoding::Pixel;
  detail::require_metric_type<Encoding>(depth, subject);
  cv::Mat metres(depth.size(), CV_32FC1);
  for (int y = 0; y < depth.rows; ++y) {
    const Pixel* from = depth.ptr<Pixel>(y);
    float* to = metres.ptr<float>(y);
    for (int x = 0; x < depth.cols; ++x) {
      to[x] = is_depth_hole(from[x])
                  ? 0.0f
                  : static_cast<float>(static_cast<double>(from[x]) / Encoding::steps_per_metre);
    }
  }
  return metres;
}

/// The same of an encoding that is chosen at run time. Throws: as above; ArgumentError for one that holds no
/// lengths.
inline cv::Mat depth_in_metres(const cv::Mat& depth, const DepthEncoding& encoding,
                               const std::string& subject = "depth_in_metres") {
  return std::visit(
      [&](auto chosen) -> cv::Mat {
        using Encoding = decltype(chosen);
        if constexpr (MetricDepth<Encoding>) {
          return depth_in_metres<Encoding>(depth, subject);
        } else {
          throw_argument_error("[" + subject + "] this network reads depth in metres, which \"" +
                               std::string(Encoding::name) +
                               "\" does not hold; pass metric depth and its encoding: mm, sun, tum or metre");
        }
      },
      encoding);
}

/// Both inputs of a network that reads depth in metres. Throws: ImageError unless colour is 8-bit B, G, R and
/// depth as the encoding says, of one size; ArgumentError for an encoding that holds no lengths, and a hole
/// policy other than `keep`.
inline NormalizedImage normalize_metric(const cv::Mat& color, const cv::Mat& depth,
                                        const DepthOptions& options, ColorOrder order) {
  if (options.holes != HolePolicy::keep) {
    throw_argument_error("[normalize_metric] hole policy \"" + std::string(to_string(options.holes)) +
                         "\" is for depth that is stretched; networks that read metres see holes as 0: pass "
                         "keep");
  }
  detail::require_color(color, "colour");
  const cv::Mat metres = depth_in_metres(depth, options.encoding, "depth");
  detail::require_same_size(color, metres, "normalize_metric");
  NormalizedImage result{color.rows, color.cols, {}, {}};
  result.color.resize(color.total() * 3);
  result.depth.resize(metres.total());
  normalize_color(color, order, result.color);
  normalize_metres({metres.ptr<float>(), metres.total()}, result.depth);
  return result;
}

}  // namespace dformer
