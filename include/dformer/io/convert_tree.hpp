#pragma once

#include <algorithm>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <dformer/core/error.hpp>
#include <dformer/io/checkpoint.hpp>
#include <dformer/io/checkpoint_container.hpp>
#include <dformer/io/conversion_report.hpp>
#include <dformer/io/tensor_source.hpp>
#include <dformer/io/torch_value.hpp>

namespace dformer::detail {

// What stands beside the weights of a checkpoint, when it becomes another file.

/// A path in a tree, where "" is the top level.
inline std::string place_of_weights(const Checkpoint& checkpoint) {
  return checkpoint.selected() == "top level" ? std::string() : checkpoint.selected();
}

/// Where the weights of the new file are.
inline std::string place_of(const Checkpoint& checkpoint, io::FileFormat format,
                            const std::optional<std::string>& asked) {
  if (asked) return *asked;
  if (holds_trees(checkpoint.format())) return place_of_weights(checkpoint);
  return format == io::FileFormat::jittor_pickle ? std::string() : "model";
}

inline TorchValue* find(TorchDict& dict, std::string_view key) {
  const auto found = std::ranges::find(dict.entries, TorchKey(std::string(key)), &TorchEntry::key);
  return found == dict.entries.end() ? nullptr : &found->value;
}

/// The dict at a path, made where there is none. Throws: ArgumentError where something else is.
inline TorchDict& dict_at(TorchDict& tree, std::string_view place) {
  if (place.empty()) return tree;
  const std::size_t dot = place.find('.');
  const std::string_view key = place.substr(0, dot);
  TorchValue* child = find(tree, key);
  if (child == nullptr) {
    tree.add(key, TorchDict());
    child = &tree.entries.back().value;
  }
  auto* dict = std::get_if<TorchDict>(&child->content());
  if (dict == nullptr) {
    throw_argument_error("[convert_checkpoint] the weights cannot be put under '" + std::string(key) +
                         "', where the input has something else");
  }
  return dict_at(*dict, dot == place.npos ? std::string_view() : place.substr(dot + 1));
}

/// Whether there is nothing but dicts without entries.
inline bool is_hollow(const TorchValue& value) {
  const auto* dict = std::get_if<TorchDict>(&value.content());
  const auto hollow = [](const TorchEntry& entry) { return is_hollow(entry.value); };
  return dict != nullptr && std::ranges::all_of(dict->entries, hollow);
}

/// The tree of a checkpoint with these weights in it.
inline TorchDict with_weights(const Checkpoint& checkpoint, const std::string& place,
                              const std::vector<NamedTensor>& weights) {
  TorchDict tree = checkpoint.tree();
  const std::string before = place_of_weights(checkpoint);
  if (before != place && !before.empty()) {  // nothing is left where they were
    const std::string_view root = std::string_view(before).substr(0, before.find('.'));
    std::erase_if(tree.entries, [&](const TorchEntry& entry) {
      return entry.key == TorchKey(std::string(root)) && is_hollow(entry.value);
    });
  }
  TorchDict& dict = dict_at(tree, place);
  for (const NamedTensor& weight : weights) dict.add(weight.name, weight.tensor);
  return tree;
}

inline void count_values(const TorchValue& value, ConversionReport::Dropped& count) {
  if (const auto* dict = std::get_if<TorchDict>(&value.content())) {
    for (const TorchEntry& entry : dict->entries) count_values(entry.value, count);
  } else if (const auto* list = std::get_if<TorchList>(&value.content())) {
    for (const TorchValue& item : list->items) count_values(item, count);
  } else if (const auto* tuple = std::get_if<TorchTuple>(&value.content())) {
    for (const TorchValue& item : tuple->items) count_values(item, count);
  } else if (std::holds_alternative<TensorSource>(value.content())) {
    ++count.tensors;
  } else {
    ++count.values;
  }
}

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
