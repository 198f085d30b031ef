#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <vector>

#include <dformer/io/torch_writer.hpp>
#include <dformer/nn/visit.hpp>

namespace dformer {

namespace detail {

/// A parameter's values, fetched from the device when the file takes them.
template <class B>
TensorSource tensor_source(const Parameter<B>& parameter) {
  parameter.value();  // an unset parameter is found before any file is touched
  return {DType::float32, parameter.shape(), [&parameter](const ByteSink& sink) {
            std::vector<float> values(static_cast<std::size_t>(parameter.shape().numel()));
            B::weight_to_host(parameter.value(), parameter.layout(), values);
            sink(std::as_bytes(std::span(values)));
          }};
}

}  // namespace detail

/// A network's parameters, buffers and counters under their checkpoint names, in the order of the official
/// state dict: float32 in PyTorch's order of axes, counters as int64. They are fetched from the device one by
/// one while the file is written, so the network must live until then. Throws: UnsetParameterError.
template <class Module>
TorchDict torch_state_dict(const Module& net) {
  TorchDict dict;
  for (const auto& entry : parameters(net)) {
    const auto& parameter = *entry.parameter;
    if (parameter.kind() == ParameterKind::constant) continue;
    const bool counter = parameter.kind() == ParameterKind::counter;
    dict.add(entry.name, counter ? tensor_of(parameter.count()) : detail::tensor_source(parameter));
  }
  return dict;
}

/// Writes `{"model": state dict}`, which PyTorch and the official programs read:
/// `model.load_state_dict(torch.load(path)["model"])`. The file appears complete or not at all.
/// Throws: FileError; UnsetParameterError.
template <class Module>
void save_torch(const Module& net, const std::filesystem::path& path) {
  write_torch_checkpoint(path, TorchDict{{"model", torch_state_dict(net)}});
}

}  // namespace dformer
