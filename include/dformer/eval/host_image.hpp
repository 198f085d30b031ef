#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <dformer/data/normalization.hpp>
#include <dformer/eval/network_input.hpp>

namespace dformer {

/// Mirrors rows of `width` pixels with `channels` values each, left to right, in place.
inline void mirror_rows(std::vector<float>& values, int width, int channels) {
  const auto row = static_cast<std::ptrdiff_t>(width) * channels;
  for (auto begin = values.begin(); begin != values.end(); begin += row) {
    for (int x = 0; x < width / 2; ++x) {
      const auto left = begin + std::ptrdiff_t{x} * channels;
      std::swap_ranges(left, left + channels, begin + std::ptrdiff_t{width - 1 - x} * channels);
    }
  }
}

inline NormalizedImage mirrored(NormalizedImage image) {
  mirror_rows(image.color, image.width, 3);
  mirror_rows(image.depth, image.width, 1);
  return image;
}

/// The part of an image that a window covers, which lies inside.
inline NormalizedImage cropped(const NormalizedImage& image, int top, int left, int height, int width) {
  NormalizedImage result{height, width, {}, {}};
  const auto copy = [&](const std::vector<float>& from, std::vector<float>& to, int channels) {
    to.reserve(static_cast<std::size_t>(height) * static_cast<std::size_t>(width * channels));
    for (int y = top; y < top + height; ++y) {
      const auto begin = from.begin() + (std::ptrdiff_t{y} * image.width + left) * channels;
      to.insert(to.end(), begin, begin + std::ptrdiff_t{width} * channels);
    }
  };
  copy(image.color, result.color, 3);
  copy(image.depth, result.depth, 1);
  return result;
}

/// The image at another size: bilinear with aligned corners, as the official evaluation scales its inputs.
template <class B>
NormalizedImage resized(const NormalizedImage& image, int height, int width,
                        const typename B::Device& device) {
  if (height == image.height && width == image.width) return image;
  const NetworkInput<typename B::Tensor> input = upload<B>(image, device);
  NormalizedImage result{height, width, {}, {}};
  const auto resize = [&](const typename B::Tensor& from, std::vector<float>& to) {
    const typename B::Tensor tensor = B::resize_bilinear(from, height, width, true);
    to.resize(static_cast<std::size_t>(tensor.shape().numel()));
    B::to_host(tensor, to);
  };
  resize(input.rgb, result.color);
  resize(input.depth, result.depth);
  return result;
}

}  // namespace dformer
