#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include <dformer/io/tensor_source.hpp>
#include <dformer/nn/visit.hpp>

namespace dformer {

/// What is saved of a network: its parameters, buffers and counters under their checkpoint names, in the
/// order of the official state dict; float32 in PyTorch's order of axes, counters as int64. They are fetched
/// from the device one by one while a file is written, so the network must live until then. Throws:
/// UnsetParameterError.
template <class Module>
std::vector<NamedTensor> saved_tensors(const Module& net) {
  using B = typename Module::Backend;
  std::vector<NamedTensor> tensors;
  for (const auto& entry : parameters(net)) {
    const Parameter<B>& parameter = *entry.parameter;
    if (parameter.kind() == ParameterKind::constant) continue;
    if (parameter.kind() == ParameterKind::counter) {
      tensors.push_back({entry.name, tensor_of(parameter.count())});
      continue;
    }
    parameter.value();  // an unset parameter is found before any file is touched
    tensors.push_back({entry.name, {DType::float32, parameter.shape(), [&parameter](const ByteSink& sink) {
                                      std::vector<float> values(
                                          static_cast<std::size_t>(parameter.shape().numel()));
                                      B::weight_to_host(parameter.value(), parameter.layout(), values);
                                      sink(std::as_bytes(std::span(values)));
                                    }}});
  }
  return tensors;
}

}  // namespace dformer
