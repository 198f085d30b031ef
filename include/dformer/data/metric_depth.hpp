#pragma once

#include <string>
#include <variant>
#include <vector>

#include <opencv2/core.hpp>

#include <dformer/data/depth_check.hpp>
#include <dformer/data/encode_depth.hpp>

namespace dformer {

/// Depth as lengths, for networks that read these.
struct DepthInMetres {
  cv::Mat metres;  ///< [H, W] 32-bit float, 1 channel; 0 where there is none
  std::vector<std::string> warnings;
};

/// Metric depth of a unit that is known at compile time. Throws: ImageError for an empty image or one of
/// another type than Encoding::Pixel with 1 channel. `subject` begins its text.
template <MetricDepth Encoding>
DepthInMetres depth_in_metres(const cv::Mat& depth, const std::string& subject = "depth_in_metres") {
  using Pixel = typename Encoding::Pixel;
  detail::require_metric_type<Encoding>(depth, subject);
  DepthInMetres result{cv::Mat(depth.size(), CV_32FC1), check_metric_depth<Encoding>(depth)};
  for (int y = 0; y < depth.rows; ++y) {
    const Pixel* from = depth.ptr<Pixel>(y);
    float* to = result.metres.ptr<float>(y);
    for (int x = 0; x < depth.cols; ++x) {
      to[x] = is_depth_hole(from[x])
                  ? 0.0f
                  : static_cast<float>(static_cast<double>(from[x]) / Encoding::steps_per_metre);
    }
  }
  return result;
}

/// The same of an encoding that is chosen at run time. Throws: as above; ArgumentError for one that holds no
/// lengths.
inline DepthInMetres depth_in_metres(const cv::Mat& depth, const DepthEncoding& encoding,
                                     const std::string& subject = "depth_in_metres") {
  return std::visit(
      [&](auto chosen) -> DepthInMetres {
        using Encoding = decltype(chosen);
        if constexpr (MetricDepth<Encoding>) {
          return depth_in_metres<Encoding>(depth, subject);
        } else {
          throw_argument_error("[" + subject + "] the network reads depth in metres, which \"" +
                               std::string(Encoding::name) +
                               "\" does not hold; pass metric depth and its encoding: mm, sun, tum or metre");
        }
      },
      encoding);
}

}  // namespace dformer
