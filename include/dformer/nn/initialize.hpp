#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <dformer/core/fill.hpp>
#include <dformer/nn/visit.hpp>

namespace dformer {

namespace detail {

/// Standard normal from two uniforms (Box and Muller, 1958), by index, so that elements are independent of
/// order.
inline float normal(const NamedStream& stream, std::uint64_t index) {
  const float u = 1.0f - stream.uniform(2 * index);  // in (0, 1]
  const float v = stream.uniform(2 * index + 1);
  return std::sqrt(-2.0f * std::log(u)) * std::cos(6.28318531f * v);
}

/// The official starting values: linear layers normal with deviation 0.02 and no bias, convolutions He-normal
/// (by fan-out in a backbone, by fan-in in a decode head), norms one and zero, layer scales 1e-6, geometry
/// weights one.
inline void initial_values(std::string_view name, const Shape& shape, std::span<float> values,
                           std::uint64_t seed) {
  const bool weight = name.ends_with("weight");
  float constant = 0.0f;
  if (name.find("layer_scale") != name.npos || name.find("gamma_") != name.npos || name.ends_with(".gamma")) {
    constant = 1e-6f;
  } else if (name.ends_with("running_var") || name.find("Geo.weight") != name.npos ||
             (weight && shape.rank() == 1)) {
    constant = 1.0f;
  }
  std::fill(values.begin(), values.end(), constant);
  if (constant != 0.0f || !weight || shape.rank() < 2) return;

  double deviation = 0.02;
  if (shape.rank() == 4) {
    const std::int64_t window = shape[2] * shape[3];
    const bool head = name.starts_with("decode_head.") || name.starts_with("Decoder.");
    const std::int64_t fan = window * (head || shape[1] == 1 ? shape[1] : shape[0]);
    deviation = std::sqrt(2.0 / static_cast<double>(fan));
  }
  const NamedStream stream(name, std::to_string(seed));
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = static_cast<float>(deviation) * normal(stream, i);
}

}  // namespace detail

/// Sets a parameter's value from floats in PyTorch's order.
template <class B>
void set_values(Parameter<B>& parameter, std::span<const float> values, const typename B::Device& device) {
  parameter.set(B::weight_from_host(device, parameter.layout(), parameter.shape(), values));
}

/// Gives every parameter the values that `fill(name, shape, values)` writes. Counters become zero, and
/// buffers that follow from the layer get the values of their table.
template <class Module, class Fill>
void fill_parameters(Module& module, const Fill& fill,
                     const typename Module::Backend::Device& device = Module::Backend::default_device()) {
  std::vector<float> values;
  for (auto& [name, parameter] : parameters(module)) {
    if (parameter->kind() == ParameterKind::counter) {
      parameter->set_count(0);
      continue;
    }
    values.resize(static_cast<std::size_t>(parameter->shape().numel()));
    if (parameter->table() != nullptr) {
      parameter->table()(values);
    } else {
      fill(std::string_view(name), parameter->shape(), std::span<float>(values));
    }
    set_values(*parameter, values, device);
  }
}

/// Gives constants (the starting bases of the Hamburger) the values that a network is made with.
template <class Module>
void restore_constants(Module& module, const typename Module::Backend::Device& device) {
  std::vector<float> values;
  for (auto& [name, parameter] : parameters(module)) {
    if (parameter->kind() != ParameterKind::constant) continue;
    values.resize(static_cast<std::size_t>(parameter->shape().numel()));
    parameter->table()(values);
    set_values(*parameter, std::span<const float>(values), device);
  }
}

/// Random starting values as the official code draws them (the distributions, not the numbers), decided by
/// the seed and the names alone.
template <class Module>
void initialize(Module& module, std::uint64_t seed,
                const typename Module::Backend::Device& device = Module::Backend::default_device()) {
  fill_parameters(
      module,
      [seed](std::string_view name, const Shape& shape, std::span<float> values) {
        detail::initial_values(name, shape, values, seed);
      },
      device);
}

}  // namespace dformer
