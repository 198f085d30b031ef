#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <dformer/io/checkpoint.hpp>
#include <dformer/io/counts.hpp>
#include <dformer/io/load_plan.hpp>
#include <dformer/io/load_report.hpp>
#include <dformer/nn/visit.hpp>

namespace dformer {

namespace detail {

/// By the bits of the largest magnitude, without a branch for each value.
inline bool all_finite(std::span<const float> values) {
  std::uint32_t largest = 0;
  for (const float value : values)
    largest = std::max(largest, std::bit_cast<std::uint32_t>(value) & 0x7fffffffu);
  return largest < 0x7f800000u;
}

}  // namespace detail

/// Sets a network's parameters from an open checkpoint. Either all of them are set or, where anything fails,
/// none. Counters that the file lacks, or of which it has no whole number, keep their value; tables that it
/// lacks and constants of the layers are computed where they have no value yet. Throws: LoadError if names or
/// shapes differ more than the options allow; what the backend throws.
template <class Module>
LoadReport load(Module& net, const Checkpoint& checkpoint, const LoadOptions& options = {},
                const typename Module::Backend::Device& device = Module::Backend::default_device()) {
  using B = typename Module::Backend;
  auto list = parameters(net);
  LoadPlan plan = plan_load(checkpoint, load_targets(net), options);

  std::vector<typename B::Tensor> tensors(list.size());
  std::vector<std::int64_t> counts(list.size());
  std::vector<float> values;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const auto& parameter = *list[i].parameter;
    const TensorRecord* source = plan.sources[i];
    const bool computed = source == nullptr && parameter.table() != nullptr && !parameter.has_value();
    if (parameter.kind() == ParameterKind::counter) {
      // Means of several files, and float16, have what counts nothing; no result depends on it.
      const auto count = source == nullptr ? std::nullopt : io::as_count(io::single_value(*source));
      counts[i] = count.value_or(parameter.count());
    } else if (source != nullptr || computed) {
      values.resize(static_cast<std::size_t>(parameter.shape().numel()));
      if (computed) {
        parameter.table()(values);
      } else {
        source->to_float32(values);
        if (!detail::all_finite(values)) plan.report.not_finite.push_back(list[i].name);
      }
      tensors[i] = B::weight_from_host(device, parameter.layout(), parameter.shape(), values);
    }
  }
  // Nothing below can fail.
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (list[i].parameter->kind() == ParameterKind::counter) {
      list[i].parameter->set_count(counts[i]);
    } else if (tensors[i]) {
      list[i].parameter->set(std::move(tensors[i]));
    }
  }
  return std::move(plan.report);
}

/// Opens a checkpoint of any supported format and sets a network's parameters from it:
/// `load(net, "NYUv2_DFormer_Large.pth")`. Strict by default; a load that fails leaves the network as it was.
/// Throws: CheckpointError (LoadError if the file is sound but does not fit).
template <class Module>
LoadReport load(Module& net, const std::filesystem::path& path, const LoadOptions& options = {},
                const typename Module::Backend::Device& device = Module::Backend::default_device()) {
  return load(net, read_checkpoint(path), options, device);
}

}  // namespace dformer
