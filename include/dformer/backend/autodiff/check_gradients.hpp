#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <dformer/backend/autodiff/stochastic.hpp>
#include <dformer/backend/autodiff/sweep.hpp>
#include <dformer/backend/weight_layout.hpp>
#include <dformer/core/fill.hpp>

namespace dformer {

/// What check_gradients is given of each variable: how to read and set it, and its leaf.
template <class B>
struct GradientCheckVariable {
  std::string name;
  autodiff::Tensor<B>* tensor;  ///< a leaf
  WeightLayout layout = WeightLayout::plain;
};

struct GradientCheckOptions {
  double step = 1e-2;        ///< by which an element is moved each way
  std::size_t samples = 24;  ///< elements of each variable, spread evenly
  std::uint64_t seed = 1;    ///< of the weights by which results are summed to one number
};

/// The element whose derivative is furthest from the difference quotient, relative to the largest derivative
/// of its variable (or 1, where that is smaller).
struct GradientCheck {
  double worst = 0;
  std::string variable;
  std::size_t element = 0;
  double derivative = 0;
  double difference = 0;
};

/// Compares the derivatives of `function()`, a tensor of Autodiff<B>, with difference quotients, for each
/// variable: a leaf that `function` uses. The check of an operation or layer of one's own:
///
///     auto x = Autodiff<Cpu<double>>::leaf(…);
///     auto found = check_gradients<Cpu<double>>({{"x", &x}}, [&] { return my_layer(x); });
///     EXPECT_LT(found.worst, 1e-5);
///
/// Use a backend of doubles: floats lose the difference in rounding. What is random in the function is drawn
/// alike each time. The variables are left with the values they had, as new leaves.
template <class B, class Function>
GradientCheck check_gradients(std::vector<GradientCheckVariable<B>> variables, const Function& function,
                              const GradientCheckOptions& options = {}) {
  using autodiff::ForwardRandom;
  std::vector<float> weights;
  const auto summed = [&] {
    const ForwardRandom same(options.seed, 0);
    const auto y = function();
    std::vector<float> values(static_cast<std::size_t>(y.shape().numel()));
    B::to_host(y.value(), values);
    double sum = 0;
    for (std::size_t i = 0; i < values.size(); ++i)
      sum += static_cast<double>(values[i]) * static_cast<double>(weights[i]);
    return sum;
  };

  autodiff::LeafGradients<B> gradients;
  {
    const ForwardRandom same(options.seed, 0);
    const auto y = function();
    const NamedStream stream("check_gradients", std::to_string(options.seed));
    weights.resize(static_cast<std::size_t>(y.shape().numel()));
    for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = 2.0f * stream.uniform(i) - 1.0f;
    backward(y, B::from_host(y.device(), y.shape(), weights), gradients);
  }

  GradientCheck found;
  for (const auto& variable : variables) {
    const auto original = *variable.tensor;
    const Shape shape = original.shape();
    std::vector<float> derivatives(static_cast<std::size_t>(shape.numel()));
    if (const auto gradient = gradients.of(original)) {
      B::weight_to_host(gradient, variable.layout, derivatives);
    }
    double scale = 1;
    for (float derivative : derivatives) scale = std::max(scale, std::abs(static_cast<double>(derivative)));
    std::vector<float> values(derivatives.size());
    B::weight_to_host(original.value(), variable.layout, values);
    const auto at = [&](std::size_t element, float value) {
      std::vector<float> moved = values;
      moved[element] = value;
      *variable.tensor = autodiff::Tensor<B>(
          B::weight_from_host(original.device(), variable.layout, shape, moved), original.node());
      return summed();
    };
    const std::size_t stride = std::max<std::size_t>(1, values.size() / options.samples);
    for (std::size_t element = 0; element < values.size(); element += stride) {
      const auto step = static_cast<float>(options.step);
      const float above = values[element] + step;
      const float below = values[element] - step;
      const double difference = (at(element, above) - at(element, below)) /
                                (static_cast<double>(above) - static_cast<double>(below));
      const auto derivative = static_cast<double>(derivatives[element]);
      const double error = std::abs(derivative - difference) / scale;
      if (error > found.worst || std::isnan(error)) {
        found = {error, variable.name, element, derivative, difference};
      }
    }
    *variable.tensor = original;
  }
  return found;
}

}  // namespace dformer
