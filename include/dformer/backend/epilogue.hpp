#pragma once

#include <cstdint>

namespace dformer {

/// GELU is the erf form everywhere: x/2 (1 + erf(x / sqrt 2)).
enum class Activation : std::uint8_t { none, relu, gelu, sigmoid };

/// What a linear map or a convolution does to its sums before they are stored, so that no second pass over
/// memory is needed. Every tensor may be empty (left out). With `acc` the sum at one output channel c:
///
///     y = activation(scale[c] * acc + shift[c])
///     y = y * multiply
///     y = final_activation(residual + layer_scale[c] * y)
///
/// `drop_path` is the probability with which a backend that trains leaves a sample's layer_scale[c] * y out
/// (stochastic depth); others ignore it.
///
/// Shapes: scale, shift, layer_scale [C]; multiply, residual as the output, [..., C].
template <class Tensor>
struct Epilogue {
  Tensor scale{};
  Tensor shift{};
  Activation activation = Activation::none;
  Tensor multiply{};
  Tensor layer_scale{};
  float drop_path = 0.0f;
  Tensor residual{};
  Activation final_activation = Activation::none;
};

}  // namespace dformer
