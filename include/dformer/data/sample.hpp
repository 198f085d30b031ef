#pragma once

#include <string>
#include <vector>

#include <opencv2/core.hpp>

#include <dformer/data/describe_image.hpp>
#include <dformer/data/image_error.hpp>

namespace dformer {

/// A registered pair of images as the networks see it before normalisation. Make one with `read_rgbd` (files)
/// or `make_rgbd` (images in memory).
struct RgbdImage {
  cv::Mat color;  ///< [H, W] 8-bit, 3 channels in the order B, G, R
  cv::Mat depth;  ///< [H, W] 8-bit, 1 channel: 0 nearest, 255 farthest, in the official representation
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
  if (image.depth.empty() || image.depth.type() != CV_8UC1) {
    throw_image_error(subject, "the encoded depth must be 8-bit with 1 channel, got " +
                                   describe(image.depth) +
                                   "; make the pair with read_rgbd or make_rgbd, which encode depth");
  }
  if (image.color.size() != image.depth.size()) {
    throw_image_error(subject,
                      "colour and depth must have one size and be registered to each other, got colour " +
                          describe(image.color) + " and depth " + describe(image.depth) +
                          "; register depth to the colour camera before passing it");
  }
}

}  // namespace dformer
