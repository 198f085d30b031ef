#pragma once

#include <string>
#include <vector>

#include <opencv2/core.hpp>

#include <dformer/core/depth_input.hpp>
#include <dformer/data/describe_image.hpp>
#include <dformer/data/image_error.hpp>

namespace dformer {

/// A registered pair of images as the networks see it before normalisation. Make one with `read_rgbd` (files)
/// or `make_rgbd` (images in memory).
struct RgbdImage {
  cv::Mat color;  ///< [H, W] 8-bit, 3 channels in the order B, G, R
  /// [H, W], 1 channel: 8-bit, 0 nearest, 255 farthest, in DFormer's official representation; or 32-bit float
  /// metres, 0 where there is none, for networks that read these (DepthInput).
  cv::Mat depth;
  /// What looked wrong but could be used: a depth range that does not fit its unit, a depth picture with
  /// colours.
  std::vector<std::string> warnings;

  int height() const { return color.rows; }
  int width() const { return color.cols; }
};

/// Throws: ImageError unless both images have the type that RgbdImage promises and the same size.
inline void require_valid(const RgbdImage& image, const std::string& subject) {
  if (image.color.empty() || image.color.type() != CV_8UC3) {
    throw_image_error(subject, "the colour image must be 8-bit with 3 channels (B, G, R), got " +
                                   describe(image.color) + "; make the pair with read_rgbd or make_rgbd");
  }
  if (image.depth.empty() || (image.depth.type() != CV_8UC1 && image.depth.type() != CV_32FC1)) {
    throw_image_error(subject, "the depth must be encoded, 8-bit with 1 channel, or float metres, got " +
                                   describe(image.depth) +
                                   "; make the pair with read_rgbd or make_rgbd, which do that");
  }
  if (image.color.size() != image.depth.size()) {
    throw_image_error(subject,
                      "colour and depth must have one size and be registered to each other, got colour " +
                          describe(image.color) + " and depth " + describe(image.depth) +
                          "; register depth to the colour camera before passing it");
  }
}

/// Which of the two a valid pair holds.
inline DepthInput depth_of(const RgbdImage& image) {
  return image.depth.type() == CV_32FC1 ? DepthInput::metres : DepthInput::greys;
}

/// Throws: ImageError unless the pair holds depth as the network reads it.
template <class Network>
void require_depth_for(const Network& network, const RgbdImage& image, const std::string& subject) {
  if (depth_input_of(network) == depth_of(image)) return;
  const bool wants_metres = depth_of(image) == DepthInput::greys;
  throw_image_error(
      subject,
      std::string("this network reads depth ") +
          (wants_metres ? "in metres, but the pair holds 8-bit greys"
                        : "as 8-bit greys, but the pair holds metres") +
          "; read or make the pair with DepthOptions{.encoding = MillimetreDepth{}, .as = DepthInput::" +
          (wants_metres ? "metres}" : "greys}"));
}

}  // namespace dformer
