#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

#include <dformer/core/color_order.hpp>
#include <dformer/core/random.hpp>
#include <dformer/data/dataset.hpp>
#include <dformer/data/label_numbering.hpp>
#include <dformer/data/normalize.hpp>

namespace dformer {

/// The official augmentation of training images, and its settings for NYUDepthv2 (SUNRGBD: crops of 480x480).
struct AugmentationOptions {
  int crop_height = 480;
  int crop_width = 640;
  std::vector<double> scales{0.5, 0.75, 1, 1.25, 1.5, 1.75};
  bool mirror = true;
};

/// What is done to one image.
struct Augmentation {
  bool mirror = false;
  double scale = 1;
  int crop_row = 0;
  int crop_column = 0;
};

/// The size of a scaled image: the fractions are cut off, as in the official code; at least one pixel.
inline cv::Size scaled_size(const cv::Mat& image, double scale) {
  return {std::max(1, static_cast<int>(image.cols * scale)),
          std::max(1, static_cast<int>(image.rows * scale))};
}

/// Draws what is done to an image of this size. The last crop position is one further than the image allows,
/// as in the official code: such a crop lacks a row or a column, which is then padded.
inline Augmentation draw_augmentation(const AugmentationOptions& options, const cv::Mat& image,
                                      RandomStream random) {
  Augmentation result;
  const bool upper_half = random.uniform() >= 0.5f;
  result.mirror = options.mirror && upper_half;
  result.scale =
      options.scales[static_cast<std::size_t>(random.below(static_cast<int>(options.scales.size())))];
  const cv::Size size = scaled_size(image, result.scale);
  const auto position = [&](int extent, int crop) {
    return extent > crop ? random.between(0, extent - crop + 1) : 0;
  };
  result.crop_row = position(size.height, options.crop_height);
  result.crop_column = position(size.width, options.crop_width);
  return result;
}

/// One training example in the caller's memory, of the crop's size: color [H, W, 3], depth [H, W, 1], labels
/// [H, W].
struct TrainExample {
  std::span<float> color;
  std::span<float> depth;
  std::span<std::uint8_t> labels;
};

namespace detail {

/// The image scaled, and mirrored first where asked; labels with `cv::INTER_NEAREST`, whose rule takes the
/// floor.
inline cv::Mat mirrored_and_scaled(const cv::Mat& image, const Augmentation& augmentation,
                                   int interpolation) {
  cv::Mat result;
  if (augmentation.mirror) {
    cv::flip(image, result, 1);
  } else {
    result = image;
  }
  const cv::Size size = scaled_size(image, augmentation.scale);
  if (size != image.size()) {
    cv::Mat scaled;
    cv::resize(result, scaled, size, 0, 0, interpolation);
    result = scaled;
  }
  return result;
}

}  // namespace detail

/// Mirrors, scales, normalises, crops and pads: the official order. What the crop does not cover is 0 (after
/// normalisation) and ignored, half of it on either side, an odd pixel at the bottom or right.
inline void augment(const LabeledImage& sample, const Augmentation& augmentation,
                    const AugmentationOptions& options, ColorOrder order, const TrainExample& out) {
  const cv::Mat color = detail::mirrored_and_scaled(sample.image.color, augmentation, cv::INTER_LINEAR);
  const cv::Mat depth = detail::mirrored_and_scaled(sample.image.depth, augmentation, cv::INTER_LINEAR);
  const cv::Mat labels = detail::mirrored_and_scaled(sample.labels, augmentation, cv::INTER_NEAREST);
  const cv::Rect crop(augmentation.crop_column, augmentation.crop_row,
                      std::min(options.crop_width, color.cols - augmentation.crop_column),
                      std::min(options.crop_height, color.rows - augmentation.crop_row));
  const int top = (options.crop_height - crop.height) / 2;
  const int left = (options.crop_width - crop.width) / 2;

  std::fill(out.color.begin(), out.color.end(), 0.0f);
  std::fill(out.depth.begin(), out.depth.end(), 0.0f);
  std::fill(out.labels.begin(), out.labels.end(), ignored_label);
  const auto width = static_cast<std::size_t>(crop.width);
  for (int y = 0; y < crop.height; ++y) {
    const auto at = static_cast<std::size_t>((top + y) * options.crop_width + left);
    const cv::Rect row(crop.x, crop.y + y, crop.width, 1);
    normalize_color(color(row), order, out.color.subspan(at * 3, width * 3));
    normalize_depth(depth(row), out.depth.subspan(at, width));
    std::copy_n(labels.ptr<std::uint8_t>(row.y) + row.x, width, out.labels.data() + at);
  }
}

}  // namespace dformer
