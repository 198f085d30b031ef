#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>

/// The softmax of single rows of class scores, for losses on the host.
namespace dformer::detail {

/// Writes the probabilities of a row and returns log(sum(exp(scores))).
inline double softmax_row(std::span<const float> scores, std::span<double> probabilities) {
  const auto largest = static_cast<double>(*std::max_element(scores.begin(), scores.end()));
  double sum = 0;
  for (std::size_t k = 0; k < scores.size(); ++k) {
    probabilities[k] = std::exp(static_cast<double>(scores[k]) - largest);
    sum += probabilities[k];
  }
  for (double& probability : probabilities) probability /= sum;
  return largest + std::log(sum);
}

/// Turns the gradient with respect to a row's probabilities into that with respect to its scores, in place.
inline void softmax_backward_row(std::span<const float> probabilities, std::span<float> gradient) {
  double mean = 0;
  for (std::size_t k = 0; k < gradient.size(); ++k) {
    mean += static_cast<double>(probabilities[k]) * static_cast<double>(gradient[k]);
  }
  for (std::size_t k = 0; k < gradient.size(); ++k) {
    gradient[k] =
        static_cast<float>(static_cast<double>(probabilities[k]) * (static_cast<double>(gradient[k]) - mean));
  }
}

}  // namespace dformer::detail
