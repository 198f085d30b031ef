#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
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

// Where in a file's tree the weights stand, and are put when it becomes another file.

/// A path in a tree, where "" is the top level.
inline std::string place_of_weights(const Checkpoint& checkpoint) {
  return checkpoint.selected() == io::top_level ? std::string() : checkpoint.selected();
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

/// Whether there is nothing but dicts without entries.
inline bool is_hollow(const TorchValue& value) {
  const auto* dict = std::get_if<TorchDict>(&value.content());
  const auto hollow = [](const TorchEntry& entry) { return is_hollow(entry.value); };
  return dict != nullptr && std::ranges::all_of(dict->entries, hollow);
}

/// Where reading finds weights in a tree; nothing where there are none.
inline std::optional<std::string> found_at(const TorchDict& tree, int depth = 0) {
  if (depth == io::weight_depth) return std::nullopt;
  for (const std::string_view key : io::weight_keys) {
    const auto child = std::ranges::find(tree.entries, TorchKey(std::string(key)), &TorchEntry::key);
    if (child == tree.entries.end()) continue;
    const auto* dict = std::get_if<TorchDict>(&child->value.content());
    if (dict == nullptr) continue;
    if (const auto below = found_at(*dict, depth + 1))
      return std::string(key) + (below->empty() ? "" : "." + *below);
  }
  const auto is_tensor = [](const TorchEntry& entry) {
    return std::holds_alternative<TensorSource>(entry.value.content());
  };
  return std::ranges::any_of(tree.entries, is_tensor) ? std::optional<std::string>("") : std::nullopt;
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

inline std::string_view kind_of(const TorchValue& value) {
  constexpr std::array<std::string_view, std::variant_size_v<TorchValue::Content>> kinds{
      "None",     "a bool", "a whole number", "a real number", "a text",
      "a tensor", "a list", "a tuple",        "a dict"};
  return kinds[value.content().index()];
}

/// "15 other tensors and 23 values"
inline std::string contents_of(const TorchValue& value) {
  ConversionReport::Dropped count;
  count_values(value, count);
  std::string text;
  if (count.tensors > 0) text = std::to_string(count.tensors) + " other tensors";
  if (count.values > 0) text += (text.empty() ? "" : " and ") + std::to_string(count.values) + " values";
  return text.empty() ? "empty lists" : text;
}

[[noreturn, gnu::cold, gnu::noinline]] inline void refuse_place(const Checkpoint& checkpoint,
                                                                std::string_view place,
                                                                const std::string& why) {
  const std::string where = place.empty() ? "at the top level" : "under '" + std::string(place) + "'";
  throw_argument_error("[" + checkpoint.path() + "] the weights cannot be put " + where + ": " + why +
                       ". Choose a place that is free; loading looks under 'state_dict_ema', 'model' and "
                       "'state_dict', also nested, and at the top level");
}

/// The dict at a path, made where there is none. The dicts on the way may hold only what stands around the
/// weights now. Throws: ArgumentError where something else is.
inline TorchDict& dict_at(TorchDict& tree, const std::string& place, const Checkpoint& checkpoint) {
  const std::string before = place_of_weights(checkpoint);
  TorchDict* dict = &tree;
  for (std::size_t begin = 0; !place.empty() && begin <= place.size();) {
    const std::size_t end = std::min(place.find('.', begin), place.size());
    const std::string path = place.substr(0, end);
    const std::string key = place.substr(begin, end - begin);
    if (key.empty()) refuse_place(checkpoint, place, "a name is missing beside a dot");
    TorchValue* child = find(*dict, key);
    if (child == nullptr) {
      dict->add(key, TorchDict());
      child = &dict->entries.back().value;
    }
    TorchDict* inner = std::get_if<TorchDict>(&child->content());
    if (inner == nullptr)
      refuse_place(checkpoint, place, "'" + path + "' is " + std::string(kind_of(*child)) + ", not a dict");
    const bool around_weights = path == before || (end < place.size() && before.starts_with(path + "."));
    if (!is_hollow(*child) && !around_weights)
      refuse_place(checkpoint, place, "'" + path + "' already holds " + contents_of(*child));
    dict = inner;
    begin = end + 1;
  }
  return *dict;
}

/// The tree of a checkpoint with these weights in it. Throws: ArgumentError for a place that is taken, or
/// where others would be found before them.
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
  TorchDict& dict = dict_at(tree, place, checkpoint);
  std::unordered_set<std::string_view> names;
  for (const NamedTensor& weight : weights) names.insert(weight.name);
  for (const TorchEntry& other : dict.entries) {
    const auto* key = std::get_if<std::string>(&other.key);
    if (key != nullptr && names.contains(*key)) {
      refuse_place(checkpoint, place,
                   "'" + *key + "' is the name of a weight, and of " + std::string(kind_of(other.value)) +
                       " that stands there already");
    }
  }
  for (const NamedTensor& weight : weights) dict.add(weight.name, weight.tensor);
  if (before == place || !io::is_searched_place(place)) return tree;
  if (const auto found = found_at(tree); found && *found != place) {
    const std::string first = found->empty() ? "the top level" : "'" + *found + "'";
    refuse_place(checkpoint, place, "loading takes the other tensors of " + first + " before them");
  }
  return tree;
}

}  // namespace dformer::detail
