#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <vector>

#include <support/golden.hpp>

#include <dformer/backend/epilogue.hpp>

/// The epilogue of products and convolutions written down once more, in double and one element at a time.
namespace dformer::testing {

/// Uniform in [-1, 1).
inline Array random_array(const Shape& shape, unsigned seed) {
  std::mt19937 generator(seed);
  Array array{shape, std::vector<float>(static_cast<std::size_t>(shape.numel()))};
  for (float& value : array.values) value = static_cast<float>(generator()) / 2147483648.0f - 1.0f;
  return array;
}

struct NaiveEpilogue {
  std::optional<Array> scale{}, shift{};
  Activation activation = Activation::none;
  std::optional<Array> multiply{}, layer_scale{}, residual{};
  Activation final_activation = Activation::none;

  /// All operands for a result of this shape.
  static NaiveEpilogue full(const Shape& y, Activation activation, Activation final_activation) {
    const Shape channels{y.back()};
    return {random_array(channels, 1), random_array(channels, 2), activation,      random_array(y, 3),
            random_array(channels, 4), random_array(y, 5),        final_activation};
  }

  static double activate(double x, Activation activation) {
    switch (activation) {
      case Activation::relu:
        return std::max(x, 0.0);
      case Activation::gelu:
        return x / 2 * (1 + std::erf(x / std::sqrt(2.0)));
      case Activation::sigmoid:
        return 1 / (1 + std::exp(-x));
      case Activation::none:
        break;
    }
    return x;
  }

  /// `sum` belongs to the element at `index` of a result with `channels` channels.
  double operator()(double sum, std::size_t index, std::size_t channels) const {
    const std::size_t c = index % channels;
    double y = sum;
    if (scale) y *= static_cast<double>(scale->values[c]);
    if (shift) y += static_cast<double>(shift->values[c]);
    y = activate(y, activation);
    if (multiply) y *= static_cast<double>(multiply->values[index]);
    if (layer_scale) y *= static_cast<double>(layer_scale->values[c]);
    if (residual) y += static_cast<double>(residual->values[index]);
    return activate(y, final_activation);
  }

  template <class B>
  Epilogue<typename B::Tensor> on(const typename B::Device& device) const {
    const auto upload = [&](const std::optional<Array>& array) {
      return array ? B::from_host(device, array->shape, array->values) : typename B::Tensor();
    };
    return {upload(scale),       upload(shift), activation,       upload(multiply),
            upload(layer_scale), 0.0f,          upload(residual), final_activation};
  }
};

}  // namespace dformer::testing
