#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <dformer/io/checkpoint.hpp>
#include <dformer/io/checkpoint_container.hpp>
#include <dformer/io/conversion_report.hpp>
#include <dformer/io/torch_value.hpp>
#include <dformer/io/weight_place.hpp>

namespace dformer::detail {

// What stands beside the weights of a checkpoint, when it becomes another file.

/// The strings that a safetensors file has beside its tensors.
inline std::map<std::string, std::string> safetensors_metadata(const Checkpoint& checkpoint) {
  std::map<std::string, std::string> metadata;
  if (checkpoint.format() != io::FileFormat::safetensors) return metadata;
  for (const auto& [key, value] : checkpoint.metadata()) {
    if (const auto* text = std::get_if<std::string>(&value)) metadata.emplace(key, *text);
  }
  return metadata;
}

/// What a file of that container cannot take over.
inline std::vector<ConversionReport::Dropped> dropped_from(const Checkpoint& checkpoint,
                                                           io::FileFormat format) {
  std::vector<ConversionReport::Dropped> dropped;
  if (holds_trees(format)) {
    for (const std::string& path : checkpoint.left_out())
      dropped.push_back({path, 0, 1, "no value that can be read; None stands there"});
  } else {
    for (const TorchEntry& entry : checkpoint.tree().entries) {
      const auto* key = std::get_if<std::string>(&entry.key);
      ConversionReport::Dropped part{
          key != nullptr ? *key : std::to_string(std::get<std::int64_t>(entry.key)), 0, 0,
          std::string(to_string(format)) + " holds weights only"};
      count_values(entry.value, part);
      if (part.tensors + part.values > 0) dropped.push_back(std::move(part));
    }
  }
  if (checkpoint.format() == io::FileFormat::safetensors && format != io::FileFormat::safetensors) {
    for (const auto& [key, text] : safetensors_metadata(checkpoint))
      dropped.push_back({key, 0, 1, "metadata of safetensors"});
  }
  return dropped;
}

}  // namespace dformer::detail
