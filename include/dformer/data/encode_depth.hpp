#pragma once

#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

#include <dformer/data/depth_check.hpp>
#include <dformer/data/depth_encoding.hpp>
#include <dformer/data/depth_stretch.hpp>
#include <dformer/data/describe_image.hpp>
#include <dformer/data/hole_policy.hpp>
#include <dformer/data/image_error.hpp>

namespace dformer {

/// Depth in the official representation.
struct EncodedDepth {
  cv::Mat grey;  ///< [H, W] 8-bit, 1 channel: 0 nearest, 255 farthest
  std::vector<std::string> warnings;
};

namespace detail {

/// What to pass for an image that does not fit the chosen encoding.
inline std::string fitting_encodings(const cv::Mat& depth) {
  if (depth.channels() == 2) return "two-channel images hold no depth that is known here";
  if (depth.channels() != 1) {
    return "for the official depth picture pass greys; is this the colour image, or a colour-mapped preview?";
  }
  switch (depth.depth()) {
    case CV_8U:
      return "for 8-bit depth pictures pass greys";
    case CV_16U:
      return "for 16-bit depth pass its unit: mm, sun (1/8 mm) or tum (1/5000 m); high_byte for what "
             "the official reader does";
    case CV_32F:
      return "for float depth in metres pass metre";
    case CV_16S:
      return "for stereo disparity pass disparity; convert depth to CV_16U";
    default:
      return "convert it to CV_16U or CV_32F first";
  }
}

[[noreturn, gnu::cold, gnu::noinline]] inline void throw_wrong_depth(const cv::Mat& depth,
                                                                     std::string_view encoding,
                                                                     const std::string& expected,
                                                                     const std::string& subject) {
  throw_image_error(subject, "depth encoding \"" + std::string(encoding) + "\" expects " + expected +
                                 ", got " + describe(depth) + "; " + fitting_encodings(depth));
}

/// Throws: ImageError unless `depth` is of the type in which Encoding stores lengths.
template <MetricDepth Encoding>
void require_metric_type(const cv::Mat& depth, const std::string& subject) {
  constexpr bool is_float = std::same_as<typename Encoding::Pixel, float>;
  if (!depth.empty() && depth.dims == 2 && depth.type() == (is_float ? CV_32FC1 : CV_16UC1)) return;
  throw_wrong_depth(depth, Encoding::name,
                    is_float ? "a 32-bit float image with 1 channel" : "a 16-bit image with 1 channel",
                    subject);
}

/// 1 / disparity as float; 0 where nothing was matched.
template <class Pixel>
cv::Mat depth_of_disparity(const cv::Mat& disparity) {
  cv::Mat depth(disparity.size(), CV_32FC1);
  for (int y = 0; y < disparity.rows; ++y) {
    const Pixel* row = disparity.ptr<Pixel>(y);
    float* out = depth.ptr<float>(y);
    for (int x = 0; x < disparity.cols; ++x) {
      const auto value = static_cast<float>(row[x]);
      out[x] = is_depth_hole(value) ? 0.0f : 1.0f / value;
    }
  }
  return depth;
}

/// 3- and 4-channel pictures to one channel; with a warning where the channels differ.
inline EncodedDepth merge_grey_channels(const cv::Mat& picture) {
  EncodedDepth result;
  cv::cvtColor(picture, result.grey, picture.channels() == 3 ? cv::COLOR_BGR2GRAY : cv::COLOR_BGRA2GRAY);
  std::vector<cv::Mat> channels;
  cv::split(picture, channels);
  const double difference = std::max(cv::norm(channels[0], channels[1], cv::NORM_INF),
                                     cv::norm(channels[0], channels[2], cv::NORM_INF));
  if (difference > 8) {  // JPEG alone makes differences of a few levels
    result.warnings.push_back(
        "the depth picture has colours: a colour-mapped preview or the colour image? Expected grey, 0 near "
        "to 255 far");
  }
  return result;
}

}  // namespace detail

/// Metric depth of a unit that is known at compile time, to the official representation.
/// Throws: ImageError for an empty image or one of another type than Encoding::Pixel with 1 channel.
/// `subject` begins its text.
template <MetricDepth Encoding>
EncodedDepth encode_depth(const cv::Mat& depth, HolePolicy holes = HolePolicy::keep,
                          const std::string& subject = "encode_depth") {
  detail::require_metric_type<Encoding>(depth, subject);
  return {stretch_depth<typename Encoding::Pixel>(depth, holes), check_metric_depth<Encoding>(depth)};
}

/// Stereo disparity. Throws: as above; any of 8-bit, 16-bit, signed 16-bit and float with 1 channel is
/// accepted.
template <std::same_as<DisparityDepth>>
EncodedDepth encode_depth(const cv::Mat& disparity, HolePolicy holes = HolePolicy::keep,
                          const std::string& subject = "encode_depth") {
  cv::Mat depth;
  switch (disparity.empty() ? -1 : disparity.type()) {
    case CV_8UC1:
      depth = detail::depth_of_disparity<std::uint8_t>(disparity);
      break;
    case CV_16UC1:
      depth = detail::depth_of_disparity<std::uint16_t>(disparity);
      break;
    case CV_16SC1:
      depth = detail::depth_of_disparity<std::int16_t>(disparity);
      break;
    case CV_32FC1:
      depth = detail::depth_of_disparity<float>(disparity);
      break;
    default:
      detail::throw_wrong_depth(disparity, DisparityDepth::name,
                                "an 8-bit, 16-bit or float image with 1 channel", subject);
  }
  EncodedDepth result{stretch_depth<float>(depth, holes), {}};
  const DepthSummary summary = summarize_depth<float>(depth);
  if (summary.hole_share >= 1.0)
    result.warnings.push_back("no valid disparity: every pixel looked at is unmatched");
  return result;
}

/// A depth picture, taken as it is: 8-bit with 1, 3 or 4 channels. Holes cannot be told from near pixels in
/// it, so only `keep` is meaningful. Throws: as above; ArgumentError for another policy.
template <std::same_as<GreysDepth>>
EncodedDepth encode_depth(const cv::Mat& picture, HolePolicy holes = HolePolicy::keep,
                          const std::string& subject = "encode_depth") {
  if (picture.empty() || picture.dims != 2 || picture.depth() != CV_8U || picture.channels() == 2) {
    detail::throw_wrong_depth(picture, GreysDepth::name, "an 8-bit image with 1, 3 or 4 channels", subject);
  }
  if (holes != HolePolicy::keep) {
    throw_argument_error(
        "[" + subject + "] hole policy \"" + std::string(to_string(holes)) +
        "\" needs metric depth: in an 8-bit picture a hole looks like a near pixel; pass keep");
  }
  EncodedDepth result;
  if (picture.channels() == 1) {
    result.grey = picture.clone();
  } else {
    result = detail::merge_grey_channels(picture);
  }
  for (std::string& warning : check_grey_depth(result.grey)) result.warnings.push_back(std::move(warning));
  return result;
}

/// The upper byte of 16-bit pixels; no stretch. Throws: as above; ArgumentError for a policy other than
/// `keep`.
template <std::same_as<HighByteDepth>>
EncodedDepth encode_depth(const cv::Mat& depth, HolePolicy holes = HolePolicy::keep,
                          const std::string& subject = "encode_depth") {
  if (depth.empty() || depth.type() != CV_16UC1) {
    detail::throw_wrong_depth(depth, HighByteDepth::name, "a 16-bit image with 1 channel", subject);
  }
  if (holes != HolePolicy::keep) {
    throw_argument_error("[" + subject + "] hole policy \"" + std::string(to_string(holes)) +
                         "\" does not go with high_byte, which reproduces the official reader; pass keep");
  }
  EncodedDepth result{cv::Mat(depth.size(), CV_8UC1), {}};
  for (int y = 0; y < depth.rows; ++y) {
    const std::uint16_t* row = depth.ptr<std::uint16_t>(y);
    std::uint8_t* out = result.grey.ptr<std::uint8_t>(y);
    for (int x = 0; x < depth.cols; ++x) out[x] = static_cast<std::uint8_t>(row[x] >> 8);
  }
  result.warnings = check_grey_depth(result.grey);
  return result;
}

/// Depth of an encoding that is chosen at run time. Throws: as the function of that encoding.
inline EncodedDepth encode_depth(const cv::Mat& depth, const DepthEncoding& encoding,
                                 HolePolicy holes = HolePolicy::keep,
                                 const std::string& subject = "encode_depth") {
  return std::visit(
      [&](auto chosen) { return encode_depth<std::remove_cvref_t<decltype(chosen)>>(depth, holes, subject); },
      encoding);
}

}  // namespace dformer
