#pragma once

#include <opencv2/core.hpp>

#include <dformer/data/describe_image.hpp>
#include <dformer/data/sample.hpp>

namespace dformer {

/// The pair with black below it and to its right, up to `size`. Before normalisation, so that the padding is
/// not 0 for the network. Throws: ImageError for an image that is larger.
inline RgbdImage pad_image(const RgbdImage& image, cv::Size size) {
  const int below = size.height - image.height();
  const int right = size.width - image.width();
  if (below < 0 || right < 0) {
    throw_image_error("pad_image", describe(image.color) + " cannot be padded to " + describe(size) +
                                       " (height x width); evaluate without padding");
  }
  RgbdImage result{{}, {}, image.warnings};
  cv::copyMakeBorder(image.color, result.color, 0, below, 0, right, cv::BORDER_CONSTANT);
  cv::copyMakeBorder(image.depth, result.depth, 0, below, 0, right, cv::BORDER_CONSTANT);
  return result;
}

}  // namespace dformer
