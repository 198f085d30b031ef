#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <opencv2/core.hpp>

#include <dformer/core/depth_input.hpp>
#include <dformer/data/normalize.hpp>
#include <dformer/data/read_images.hpp>
#include <dformer/eval/network_input.hpp>
#include <dformer/nn/visit.hpp>

namespace dformer {

/// Normalises a pair in the colour order of the network and brings it to the device.
/// Throws: ImageError for a pair whose depth is not what the network reads.
template <class Network>
NetworkInput<typename Network::Tensor> upload(const Network& network, const RgbdImage& image,
                                              const typename Network::Backend::Device& device) {
  require_valid(image, "upload");
  require_depth_for(network, image, "upload");
  return upload<typename Network::Backend>(normalize(image, network.color_order), device);
}

/// The same for several pairs of one size: rgb [N, H, W, 3] and depth [N, H, W, 1].
/// Throws: ImageError for pairs of other types, of sizes that differ, or whose depth is not what the network
/// reads; ArgumentError for none.
template <class Network>
NetworkInput<typename Network::Tensor> upload(const Network& network, std::span<const RgbdImage> images,
                                              const typename Network::Backend::Device& device) {
  using B = typename Network::Backend;
  if (images.empty()) throw_argument_error("[upload] a batch needs one pair of images or more, got none");
  const int height = images[0].height();
  const int width = images[0].width();
  const std::size_t pixels = images[0].color.total();
  std::vector<float> color(images.size() * pixels * 3);
  std::vector<float> depth(images.size() * pixels);
  for (std::size_t i = 0; i < images.size(); ++i) {
    require_valid(images[i], "upload");
    require_depth_for(network, images[i], "upload");
    if (images[i].color.size() != images[0].color.size()) {
      throw_image_error("upload", "the pairs of a batch must have one size, got " +
                                      describe(images[0].color) + " and " + describe(images[i].color));
    }
    normalize_color(images[i].color, network.color_order,
                    std::span(color).subspan(i * pixels * 3, pixels * 3));
    normalize_depth(images[i].depth, std::span(depth).subspan(i * pixels, pixels));
  }
  const auto count = static_cast<std::int64_t>(images.size());
  return {B::from_host(device, {count, height, width, 3}, color),
          B::from_host(device, {count, height, width, 1}, depth)};
}

/// The best class of every pixel from class scores, [1, h, w, K], resized to the image: [H, W], one byte
/// each.
template <class B>
cv::Mat best_labels(const typename B::Tensor& scores, int height, int width) {
  cv::Mat labels(height, width, CV_8UC1);
  B::labels_to_host(B::resize_argmax(scores, height, width),
                    std::span<std::uint8_t>(labels.data, static_cast<std::size_t>(labels.total())));
  return labels;
}

/// The class of every pixel of a pair: [H, W], one byte each. Runs at the size of the images, single scale.
/// Throws: ImageError, ShapeError; UnsetParameterError before load() or initialize().
template <class Network>
cv::Mat segment(const Network& network, const RgbdImage& image) {
  using B = typename Network::Backend;
  const auto input = upload(network, image, device_of(network));
  return best_labels<B>(network(input.rgb, input.depth), image.height(), image.width());
}

/// The same for images as a camera or a file gives them: colour 8-bit B, G, R; depth as `options` say, by
/// default the official 8-bit pictures. `segment(net, color, depth, {.encoding = MillimetreDepth{}})` takes
/// 16-bit millimetres. A network that reads metres (AsymFormer) needs an encoding that is a length;
/// `options.as` is the network's. Throws: as above; ArgumentError for an encoding or a hole policy that it
/// cannot use.
template <class Network>
cv::Mat segment(const Network& network, const cv::Mat& color, const cv::Mat& depth,
                const DepthOptions& options = {}) {
  DepthOptions as_read = options;
  as_read.as = depth_input_of(network);
  return segment(network, make_rgbd(color, depth, as_read));
}

}  // namespace dformer
