#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <dformer/nn/initialize.hpp>
#include <dformer/nn/random_bases.hpp>

namespace dformer {

/// Draws the bases from which a network's Hamburger starts anew, decided by the seed. The official code draws
/// them at every call, so its predictions differ from run to run; a network here keeps one set for all images
/// unless this is called before each.
template <class Network>
void draw_bases(Network& network, std::uint64_t seed) {
  std::vector<float> values;
  for (auto& [name, parameter] : parameters(network)) {
    if (parameter->kind() != ParameterKind::constant || !name.ends_with("hamburger.bases")) continue;
    const Shape& shape = parameter->shape();  // [1, C, R]
    values.resize(static_cast<std::size_t>(shape.numel()));
    random_bases(NamedStream(name, std::to_string(seed)), static_cast<int>(shape[1]),
                 static_cast<int>(shape[2]), values);
    set_values(*parameter, std::span<const float>(values), device_of(network));
  }
}

}  // namespace dformer
