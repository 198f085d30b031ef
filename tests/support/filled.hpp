#pragma once

#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>

#include <support/module.hpp>

#include <dformer/core/fill.hpp>

/// Fixtures that hold no parameters, because both sides draw them by name (tests/data/README.md).
namespace dformer::testing {

/// The rule of these fixtures: in double, rounded once.
inline void fill_parameter(std::string_view name, const Shape& shape, std::span<float> values) {
  double offset = 0.0, amplitude = 0.1;
  if (name.ends_with("running_var")) {
    offset = 1.0;
    amplitude = 0.5;
  } else if (name.ends_with("running_mean")) {
    offset = 0.0;
  } else if (name.find("gamma") != name.npos || name.find("layer_scale") != name.npos) {
    offset = 0.5;
    amplitude = 0.25;
  } else if (shape.rank() >= 2) {
    amplitude = std::sqrt(3.0 / static_cast<double>(shape.numel() / shape[0]));
  } else if (shape.rank() == 1 && name.ends_with("weight")) {
    offset = 1.0;
  }
  const NamedStream stream(name);
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = static_cast<float>(offset + amplitude * static_cast<double>(stream.symmetric(i)));
}

/// Gives a module the parameters that it had under `prefix`.
template <class Module>
void fill_module(Module& module, const std::string& prefix, const TestBackend::Device& device) {
  fill_parameters(
      module,
      [&](std::string_view name, const Shape& shape, std::span<float> values) {
        fill_parameter(prefix + std::string(name), shape, values);
      },
      device);
}

/// factor * the numbers of that name, as an image with channels first, brought to channels last.
inline Array filled_image(std::string_view name, const Shape& nchw, float factor) {
  Array image{nchw, std::vector<float>(static_cast<std::size_t>(nchw.numel()))};
  const NamedStream stream(name);
  for (std::size_t i = 0; i < image.values.size(); ++i) image.values[i] = factor * stream.symmetric(i);
  return to_nhwc(image);
}

}  // namespace dformer::testing
