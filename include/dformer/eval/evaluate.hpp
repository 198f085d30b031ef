#pragma once

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <string>

#include <opencv2/core.hpp>

#include <dformer/data/dataset.hpp>
#include <dformer/data/normalize.hpp>
#include <dformer/data/ordered_prefetch.hpp>
#include <dformer/data/pad_image.hpp>
#include <dformer/eval/class_scores.hpp>
#include <dformer/eval/draw_bases.hpp>
#include <dformer/eval/score.hpp>
#include <dformer/eval/segment.hpp>
#include <dformer/models/conventions.hpp>

namespace dformer {

/// The class of every pixel of a pair under a protocol: [H, W], one byte each, of the pair's size also where
/// the protocol pads. Throws: as class_scores; ImageError for a pair that is none.
template <class Network>
cv::Mat segment(const Network& network, const RgbdImage& image, const Protocol& protocol,
                const typename Network::Backend::Device& device) {
  using B = typename Network::Backend;
  require_valid(image, "segment");
  require_depth_for(network, image, "segment");
  NormalizedImage input;
  if (protocol.padded_size) {
    const cv::Size size(protocol.padded_size->width, protocol.padded_size->height);
    input = normalize(pad_image(image, size), network.color_order);
  } else {
    input = normalize(image, network.color_order);
  }
  require_valid(protocol);
  cv::Mat labels;
  if (runs_once(protocol, {input.height, input.width})) {
    const auto tensors = upload<B>(input, device);
    labels = best_labels<B>(network(tensors.rgb, tensors.depth), input.height, input.width);
  } else {
    labels = best_classes(class_scores(network, input, protocol, device), input.height, input.width,
                          network.num_classes);
  }
  return labels(cv::Rect(0, 0, image.width(), image.height()));
}

/// How an evaluation is run, which does not change its result.
struct EvaluationOptions {
  std::size_t max_images = 0;  ///< 0 for all of the data set; the score says how many there were
  int workers = 1;             ///< threads that read images ahead; 0 for none but the caller's
  std::size_t ahead = 4;       ///< images that are read before they are asked for
};

/// One image of an evaluation, as its observer sees it.
struct EvaluatedImage {
  std::size_t index;  ///< in the data set
  std::size_t count;  ///< images in all
  const LabeledImage& sample;
  const cv::Mat& predicted;  ///< [H, W] 8-bit class indices
};

/// Scores a network on a data set, which has `size()`, `num_classes()`, `description()` and `read(index)`.
/// `observe(const EvaluatedImage&)` is called after each image. Where the protocol has a seed, the network's
/// starting bases are drawn from it and stay so. The score's protocol is the one that was followed: what the
/// network decides is set, and sizes are multiples of what it asks for.
/// Throws: ArgumentError where network and data set have other numbers of classes or the protocol cannot be
/// followed; what reading and running throw.
template <class Network, class Dataset, class Observer>
[[gnu::noinline]] Score evaluate(Network& network, const Dataset& dataset, const Protocol& asked,
                                 const EvaluationOptions& options, Observer&& observe) {
  // Inlined, g++ 12 would warn of the values that empty optionals do not have.
  require_valid(asked);
  if (dataset.num_classes() != network.num_classes) {
    throw_argument_error("[evaluate] the network has " + std::to_string(network.num_classes) +
                         " classes, but the data set (" + dataset.description() + ") has " +
                         std::to_string(dataset.num_classes()) + "; the two must be the same");
  }
  const auto device = device_of(network);
  if (asked.bases_seed) draw_bases(network, *asked.bases_seed);

  const std::size_t count =
      options.max_images == 0 ? dataset.size() : std::min(options.max_images, dataset.size());
  Score score{.dataset = dataset.description(),
              .images = count,
              .protocol = asked,
              .confusion = ConfusionMatrix(network.num_classes)};
  const Conventions conventions = conventions_of(network);
  score.protocol.color_order = conventions.color_order;
  score.protocol.depth_input = conventions.depth_input;
  score.protocol.head_norm_eps = conventions.head_norm_eps;
  score.protocol.size_multiple = std::lcm(asked.size_multiple, conventions.size_multiple);
  OrderedPrefetch<LabeledImage> samples(0, count, options.workers, options.ahead,
                                        [&dataset](std::size_t index) { return dataset.read(index); });
  for (std::size_t index = 0; index < count; ++index) {
    const LabeledImage sample = samples.next();
    const cv::Mat predicted = segment(network, sample.image, score.protocol, device);
    score.confusion.add(sample.labels, predicted);
    observe(EvaluatedImage{index, count, sample, predicted});
  }
  return score;
}

template <class Network, class Dataset>
Score evaluate(Network& network, const Dataset& dataset, const Protocol& protocol,
               const EvaluationOptions& options = {}) {
  return evaluate(network, dataset, protocol, options, [](const EvaluatedImage&) {});
}

}  // namespace dformer
