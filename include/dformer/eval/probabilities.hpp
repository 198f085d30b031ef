#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include <opencv2/core.hpp>

#include <dformer/eval/segment.hpp>

namespace dformer {

/// Labels with what the network thinks of them.
struct Prediction {
  cv::Mat labels;      ///< [H, W] 8-bit: the most probable class
  cv::Mat confidence;  ///< [H, W] float: its probability
  int num_classes = 0;
  std::vector<float> probabilities;  ///< [H, W, num_classes]
};

/// What class scores, [1, h, w, K], say of an image: resized to it (bilinear, align_corners false) before the
/// softmax, as the official evaluation does. Takes H * W * K floats; where only labels are wanted
/// `best_labels` is cheaper.
template <class B>
Prediction predict_from_scores(const typename B::Tensor& scores, int height, int width) {
  const auto softmax = B::softmax(B::resize_bilinear(scores, height, width, false));
  Prediction result{.labels = cv::Mat(height, width, CV_8UC1),
                    .confidence = cv::Mat(height, width, CV_32FC1),
                    .num_classes = static_cast<int>(scores.shape()[3]),
                    .probabilities = std::vector<float>(static_cast<std::size_t>(softmax.shape().numel()))};
  B::to_host(softmax, result.probabilities);
  const float* row = result.probabilities.data();
  float* confidence = result.confidence.ptr<float>();
  for (std::size_t pixel = 0; pixel < result.labels.total(); ++pixel, row += result.num_classes) {
    const float* best = std::max_element(row, row + result.num_classes);
    result.labels.data[pixel] = static_cast<std::uint8_t>(best - row);
    confidence[pixel] = *best;
  }
  return result;
}

/// Runs a network on one pair. Throws: ShapeError; UnsetParameterError before load() or initialize().
template <class Network>
Prediction predict(const Network& network, const NetworkInput<typename Network::Tensor>& input) {
  const Shape& size = input.rgb.shape();
  return predict_from_scores<typename Network::Backend>(network(input.rgb, input.depth),
                                                        static_cast<int>(size[1]), static_cast<int>(size[2]));
}

}  // namespace dformer
