#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <opencv2/core.hpp>

#include <dformer/eval/host_image.hpp>
#include <dformer/eval/protocol.hpp>

namespace dformer {

/// Class scores of an image before the softmax, at its own size: [1, H, W, num_classes].
/// Throws: ShapeError; UnsetParameterError before load() or initialize().
template <class Network>
typename Network::Tensor image_logits(const Network& network, const NormalizedImage& image,
                                      const typename Network::Backend::Device& device) {
  using B = typename Network::Backend;
  const auto input = upload<B>(image, device);
  return B::resize_bilinear(network(input.rgb, input.depth), image.height, image.width, false);
}

/// The same window by window; where windows overlap the mean of their logits. An image that is smaller than
/// the window in either direction is first resized to exactly its size, and the result has that size: the
/// official rule. Shapes: [1, max(H, window), max(W, window), num_classes].
/// Throws: as image_logits; ArgumentError for a window that is none.
template <class Network>
typename Network::Tensor sliding_logits(const Network& network, const NormalizedImage& original,
                                        const SlidingWindow& window,
                                        const typename Network::Backend::Device& device) {
  using B = typename Network::Backend;
  require_valid(window);
  const bool enlarge = original.height < window.height || original.width < window.width;
  const NormalizedImage image =
      enlarge ? resized<B>(original, window.height, window.width, device) : original;

  const auto classes = static_cast<std::size_t>(network.num_classes);
  const auto image_row = static_cast<std::size_t>(image.width) * classes;
  const auto window_row = static_cast<std::size_t>(window.width) * classes;
  std::vector<float> sums(static_cast<std::size_t>(image.height) * image_row);
  std::vector<float> counts(image.depth.size());
  std::vector<float> part(static_cast<std::size_t>(window.height) * window_row);
  for (int top : window_starts(image.height, window.height, window.stride_height)) {
    for (int left : window_starts(image.width, window.width, window.stride_width)) {
      const NormalizedImage crop = cropped(image, top, left, window.height, window.width);
      B::to_host(image_logits(network, crop, device), part);
      for (int y = 0; y < window.height; ++y) {
        const auto pixel = static_cast<std::size_t>((top + y) * image.width + left);
        const float* from = part.data() + static_cast<std::size_t>(y) * window_row;
        float* to = sums.data() + pixel * classes;
        for (std::size_t i = 0; i < window_row; ++i) to[i] += from[i];
        for (int x = 0; x < window.width; ++x) counts[pixel + static_cast<std::size_t>(x)] += 1.0f;
      }
    }
  }
  for (std::size_t pixel = 0; pixel < counts.size(); ++pixel) {
    for (std::size_t k = 0; k < classes; ++k) sums[pixel * classes + k] /= counts[pixel];
  }
  return B::from_host(device, {1, image.height, image.width, network.num_classes}, sums);
}

/// Class scores of an image under a protocol: the probabilities of all its scales, mirrored or not, added up.
/// [H, W, num_classes], row-major. Each softmax is taken after its logits were brought to the image's size
/// (bilinear with aligned corners). Throws: as image_logits; ArgumentError for a protocol that cannot be
/// followed.
template <class Network>
std::vector<float> class_scores(const Network& network, const NormalizedImage& image,
                                const Protocol& protocol, const typename Network::Backend::Device& device) {
  using B = typename Network::Backend;
  require_valid(protocol);
  const auto values = image.depth.size() * static_cast<std::size_t>(network.num_classes);
  std::vector<float> sums(values);
  std::vector<float> part(values);
  for (double scale : protocol.scales) {
    const ImageSize size = scaled_size({image.height, image.width}, scale, protocol.size_multiple);
    const NormalizedImage scaled = resized<B>(image, size.height, size.width, device);
    for (bool mirror : {false, true}) {
      if (mirror && !protocol.flip) continue;
      const NormalizedImage input = mirror ? mirrored(scaled) : scaled;
      auto logits = protocol.sliding ? sliding_logits(network, input, *protocol.sliding, device)
                                     : image_logits(network, input, device);
      if (logits.shape()[1] != image.height || logits.shape()[2] != image.width) {
        logits = B::resize_bilinear(logits, image.height, image.width, true);
      }
      B::to_host(B::softmax(logits), part);
      if (mirror) mirror_rows(part, image.width, network.num_classes);
      for (std::size_t i = 0; i < values; ++i) sums[i] += part[i];
    }
  }
  return sums;
}

/// The class of every pixel of scores [H, W, num_classes], the first of the best: [H, W], one byte each.
inline cv::Mat best_classes(const std::vector<float>& scores, int height, int width, int num_classes) {
  cv::Mat labels(height, width, CV_8UC1);
  const float* row = scores.data();
  for (std::size_t pixel = 0; pixel < labels.total(); ++pixel, row += num_classes) {
    labels.data[pixel] = static_cast<std::uint8_t>(std::max_element(row, row + num_classes) - row);
  }
  return labels;
}

}  // namespace dformer
