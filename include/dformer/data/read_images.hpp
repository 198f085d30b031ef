#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>

#include <dformer/core/depth_input.hpp>
#include <dformer/data/decode_image.hpp>
#include <dformer/data/encode_depth.hpp>
#include <dformer/data/metric_depth.hpp>
#include <dformer/data/sample.hpp>

namespace dformer {

/// How depth is stored, what becomes of its holes, and as what a pair holds it.
struct DepthOptions {
  DepthEncoding encoding = GreysDepth{};
  HolePolicy holes = HolePolicy::keep;
  DepthInput as = DepthInput::greys;  ///< metres: for networks that read these; holes are 0 then
};

namespace detail {

/// Throws: ImageError unless `color` is 8-bit with 3 channels.
inline void require_color(const cv::Mat& color, const std::string& subject) {
  if (!color.empty() && color.type() == CV_8UC3) return;
  std::string advice = "convert it to 8-bit with three channels";
  if (color.channels() == 1) {
    advice = color.depth() == CV_8U
                 ? "is this the depth image? A grey camera's image must be repeated to three channels"
                 : "is this the depth image? Pass colour first, then depth";
  }
  throw_image_error(subject,
                    "expected a colour image, 8-bit with 3 channels, got " + describe(color) + "; " + advice);
}

inline void require_same_size(const cv::Mat& color, const cv::Mat& depth, const std::string& subject) {
  if (color.size() == depth.size()) return;
  throw_image_error(
      subject, "colour is " + describe(color.size()) + " but depth is " + describe(depth.size()) +
                   " (height x width); the two must be registered: pass depth aligned to the colour camera");
}

/// Depth as a pair holds it.
struct DepthOfPair {
  cv::Mat depth;
  std::vector<std::string> warnings;
};

inline DepthOfPair depth_of_pair(const cv::Mat& stored, const DepthOptions& options,
                                 const std::string& subject) {
  if (options.as == DepthInput::greys) {
    EncodedDepth encoded = encode_depth(stored, options.encoding, options.holes, subject);
    return {std::move(encoded.grey), std::move(encoded.warnings)};
  }
  if (options.holes != HolePolicy::keep) {
    throw_argument_error("[" + subject + "] hole policy \"" + std::string(to_string(options.holes)) +
                         "\" is for depth that is stretched; networks that read metres see holes as 0: pass "
                         "keep");
  }
  DepthInMetres converted = depth_in_metres(stored, options.encoding, subject);
  return {std::move(converted.metres), std::move(converted.warnings)};
}

}  // namespace detail

/// The colour image of a file, [H, W] 8-bit, channels B, G, R. An alpha channel is dropped, and EXIF
/// orientation is applied. Throws: ImageError.
inline cv::Mat read_color(const std::filesystem::path& file) {
  cv::Mat color = detail::decode_image(file, cv::IMREAD_ANYCOLOR | cv::IMREAD_ANYDEPTH);
  detail::require_color(color, file.string());
  return color;
}

namespace detail {

inline DepthOfPair read_depth_of_pair(const std::filesystem::path& file, const DepthOptions& options) {
  const cv::Mat stored = decode_image(file, cv::IMREAD_ANYCOLOR | cv::IMREAD_ANYDEPTH);
  const std::string name = file.string();
  DepthOfPair depth = depth_of_pair(stored, options, name);
  for (std::string& warning : depth.warnings) warning = "[" + name + "] " + warning;
  return depth;
}

}  // namespace detail

/// The depth of a file in the official representation, [H, W] 8-bit. Throws: ImageError, also where the
/// file's type does not fit the encoding; ArgumentError for a hole policy that does not go with it.
inline EncodedDepth read_depth(const std::filesystem::path& file, const DepthOptions& options = {}) {
  DepthOptions greys = options;
  greys.as = DepthInput::greys;
  detail::DepthOfPair read = detail::read_depth_of_pair(file, greys);
  return {std::move(read.depth), std::move(read.warnings)};
}

/// A pair of images in memory: `color` [H, W] 8-bit with channels B, G, R (shared, not copied), `depth` [H,
/// W] as `options.encoding` says. Throws: ImageError, ArgumentError.
inline RgbdImage make_rgbd(const cv::Mat& color, const cv::Mat& depth, const DepthOptions& options = {}) {
  detail::require_color(color, "colour");
  detail::DepthOfPair converted = detail::depth_of_pair(depth, options, "depth");
  detail::require_same_size(color, depth, "make_rgbd");
  return {color, std::move(converted.depth), std::move(converted.warnings)};
}

/// A pair of image files. Throws: ImageError, ArgumentError; the text names the file.
inline RgbdImage read_rgbd(const std::filesystem::path& color_file, const std::filesystem::path& depth_file,
                           const DepthOptions& options = {}) {
  cv::Mat color = read_color(color_file);
  detail::DepthOfPair read = detail::read_depth_of_pair(depth_file, options);
  detail::require_same_size(color, read.depth, color_file.string() + ", " + depth_file.string());
  return {std::move(color), std::move(read.depth), std::move(read.warnings)};
}

}  // namespace dformer
