#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <dformer/nn/visit.hpp>

namespace dformer::testing {

/// A tensor of a parameter's shape and layout, its value or its gradient, in PyTorch's order. `Inner` is the
/// backend that the tensor is of.
template <class Inner, class B>
std::vector<float> host_values(const Parameter<B>& parameter, const typename Inner::Tensor& tensor) {
  std::vector<float> values(static_cast<std::size_t>(parameter.shape().numel()));
  Inner::weight_to_host(tensor, parameter.layout(), values);
  return values;
}

/// The value of the parameter of that name.
template <class Network>
std::vector<float> values_of(const Network& network, std::string_view name) {
  for (const auto& [found, parameter] : parameters(network)) {
    if (found == name) return host_values<typename Network::Backend>(*parameter, parameter->value());
  }
  throw_argument_error("no parameter " + std::string(name));
}

}  // namespace dformer::testing
