#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include <dformer/io/checkpoint_contents.hpp>
#include <dformer/io/checkpoint_error.hpp>
#include <dformer/io/limits.hpp>
#include <dformer/io/pickle_source.hpp>
#include <dformer/io/pickle_tensors.hpp>
#include <dformer/io/record_source.hpp>
#include <dformer/io/torch_value.hpp>
#include <dformer/io/utf8.hpp>

namespace dformer::io {

/// Finds the weights in the tree of a pickle, and sorts out what else is there.
class StateDictReader {
 public:
  explicit StateDictReader(const PickleSource& source) : source_(source) {}

  /// The weights, from where `weight_keys` are, and everything else. Throws: CheckpointError(no_state_dict),
  /// (unsupported_global), or what reading a tensor throws.
  CheckpointContents read() {
    const PickleValue& root = source_.pickle.root();
    std::string path;
    selected_ = select(root, path, 0);
    if (selected_ == nullptr) fail_nothing_found(root);
    contents_.selected = path.empty() ? std::string(top_level) : path;
    collect_weights();
    contents_.tree = std::get<TorchDict>(walk(root, "", 0).content());
    return std::move(contents_);
  }

 private:
  using Kind = CheckpointError::Kind;
  using ValueKind = PickleValue::Kind;

  // Limits far above any real file, so that one that refers to its parts over and over cannot exhaust memory.
  static constexpr int max_depth = 8;
  static constexpr std::size_t max_entries = 1u << 17;
  static constexpr std::size_t max_text = 1u << 20;      // a configuration as text
  static constexpr std::size_t max_all_text = 1u << 24;  // longer texts, and those beyond, are left out

  const PickleValue* select(const PickleValue& value, std::string& path, int depth) const {
    if (!value.is(ValueKind::dict) || depth == weight_depth) return nullptr;
    for (const std::string_view key : weight_keys) {
      const PickleValue* child = source_.pickle.find(value, key);
      if (child == nullptr) continue;
      std::string child_path = join(path, key);
      if (const PickleValue* found = select(*child, child_path, depth + 1)) {
        path = std::move(child_path);
        return found;
      }
    }
    const auto entries = source_.pickle.items(value);
    for (std::size_t i = 1; i < entries.size(); i += 2) {
      if (is_tensor(source_, entries[i]) || is_unknown_tensor(entries[i])) return &value;
    }
    return nullptr;
  }

  /// A tensor of a kind that is not read here: sparse, quantised, with a subclass.
  bool is_unknown_tensor(const PickleValue& value) const {
    const PickleGlobal* callable = source_.pickle.callable(unwrap_tensor(source_, value));
    return callable != nullptr && callable->module.starts_with("torch") &&
           callable->name.starts_with("_rebuild") && !is_tensor(source_, value);
  }

  void collect_weights() {
    const auto entries = source_.pickle.items(*selected_);
    std::unordered_map<std::string, std::size_t> position;
    for (std::size_t i = 0; i + 1 < entries.size(); i += 2) {
      const std::optional<std::string> name = name_of(entries[i]);
      if (!name) continue;
      if (is_unknown_tensor(entries[i + 1])) {
        const PickleValue& inner = unwrap_tensor(source_, entries[i + 1]);
        source_.fail(Kind::unsupported_global, source_.pickle.object(inner).file_offset,
                     "tensor '" + *name + "' is stored by '" + source_.pickle.callable(inner)->full_name() +
                         "', which is not supported; save it as an ordinary dense tensor");
      }
      if (!is_tensor(source_, entries[i + 1])) continue;
      count_entry();
      TensorRecord record = read_tensor(source_, entries[i + 1], *name);
      const auto [slot, is_new] = position.try_emplace(*name, contents_.tensors.size());
      if (is_new) {
        contents_.tensors.push_back(std::move(record));
      } else {
        contents_.tensors[slot->second] =
            std::move(record);  // as in Python, the later entry of a name counts
      }
    }
  }

  /// Everything but the weights: noted by its path, and returned as a tree.
  TorchValue walk(const PickleValue& value, const std::string& path, int depth) {
    count_entry();
    if (depth > max_depth) return left_out(path);
    switch (value.kind) {
      case ValueKind::none:
        return {};
      case ValueKind::boolean:
        return noted(path, value.integer != 0);
      case ValueKind::integer:
        return noted(path, value.integer);
      case ValueKind::real:
        return noted(path, value.real);
      case ValueKind::text:
        if (value.data.size() > max_text || text_ + value.data.size() > max_all_text) return left_out(path);
        text_ += value.data.size();
        if (!is_utf8(value.text())) return left_out(path);  // bytes that Python 2 wrote
        return noted(path, std::string(value.text()));
      case ValueKind::list:
      case ValueKind::tuple:
        // A log of all losses has more entries than a checkpoint, and is no reason to refuse the weights.
        if (entries_ + source_.pickle.items(value).size() > max_entries / 2) return left_out(path);
        if (value.is(ValueKind::tuple)) return TorchTuple(walk_items(value, path, depth));
        return TorchList(walk_items(value, path, depth));
      case ValueKind::dict:
        return walk_dict(value, path, depth);
      case ValueKind::object:
        if (is_tensor(source_, value)) return add_other_tensor(value, path);
        if (source_.pickle.object(value).state.is(ValueKind::none)) return left_out(path);
        // An inert object's attributes: the fields of an argparse.Namespace.
        return walk(source_.pickle.object(value).state, path, depth + 1);
      case ValueKind::bytes:
      case ValueKind::big_integer:
      case ValueKind::set:
      case ValueKind::global:
      case ValueKind::persistent_id:
        return left_out(path);
    }
    return {};
  }

  template <class T>
  TorchValue noted(const std::string& path, T value) {
    contents_.metadata[path] = value;
    return value;
  }
  TorchValue left_out(const std::string& path) {
    contents_.left_out.push_back(path);
    return {};
  }

  std::vector<TorchValue> walk_items(const PickleValue& value, const std::string& path, int depth) {
    std::vector<TorchValue> values;
    const auto items = source_.pickle.items(value);
    for (std::size_t i = 0; i < items.size(); ++i)
      values.push_back(walk(items[i], join(path, std::to_string(i)), depth + 1));
    return values;
  }

  TorchValue walk_dict(const PickleValue& dict, const std::string& path, int depth) {
    const auto entries = source_.pickle.items(dict);
    const bool weights = dict.index == selected_->index;
    TorchDict tree;
    std::map<TorchKey, std::size_t> position;
    for (std::size_t i = 0; i + 1 < entries.size(); i += 2) {
      if (i >= 2) count_entry();  // also what is passed over: the same dictionary may stand in many places
      const std::optional<std::string> name = name_of(entries[i]);
      if (name && weights && is_tensor(source_, entries[i + 1])) continue;
      if (!name || path.size() + name->size() > longest_name || !is_printable(*name)) {
        count_entry();
        left_out(join(path, name && is_printable(*name) ? *name : "?"));
        continue;
      }
      TorchKey key = *name;
      if (entries[i].is(ValueKind::integer)) key = entries[i].integer;
      TorchValue value = walk(entries[i + 1], join(path, *name), depth + 1);
      const auto [slot, is_new] = position.try_emplace(key, tree.entries.size());
      if (is_new) {
        tree.add(std::move(key), std::move(value));
      } else {
        tree.entries[slot->second].value = std::move(value);
      }
    }
    return tree;
  }

  TorchValue add_other_tensor(const PickleValue& value, const std::string& path) {
    try {
      contents_.others.push_back(read_tensor(source_, value, path));
      return record_source(contents_.others.back());
    } catch (const CheckpointError& error) {
      // Arrays of words or dates beside the weights are no reason to refuse the weights.
      if (error.kind() != Kind::unsupported_dtype) throw;
      return left_out(path);
    }
  }

  void count_entry() {
    if (++entries_ > max_entries) {
      source_.fail(Kind::corrupt_container, CheckpointError::no_offset,
                   "more than " + std::to_string(max_entries) + " entries; no checkpoint has so many");
    }
  }

  static std::string join(const std::string& path, std::string_view name) {
    std::string joined = path;
    if (!path.empty()) joined += '.';
    return joined += name;
  }

  std::optional<std::string> name_of(const PickleValue& key) const {
    if (key.is(ValueKind::integer)) return std::to_string(key.integer);
    if (!key.is(ValueKind::text)) return std::nullopt;
    if (key.data.size() > longest_name) {
      source_.fail(Kind::corrupt_container, CheckpointError::no_offset,
                   "a name of " + std::to_string(key.data.size()) + " characters; no checkpoint has such");
    }
    return std::string(key.text());
  }

  [[noreturn]] void fail_nothing_found(const PickleValue& root) const {
    for (const PickleValue* value : {&root, model_of(root)}) {
      const PickleGlobal* callable = value == nullptr ? nullptr : source_.pickle.callable(*value);
      if (callable == nullptr || is_tensor(source_, *value)) continue;
      source_.fail(Kind::unsupported_global, source_.pickle.object(*value).file_offset,
                   "the file holds a Python object of class '" + callable->full_name() +
                       "' instead of its weights; save model.state_dict() and load that");
    }
    std::string found = "a single value";
    if (root.is(ValueKind::dict)) {
      const auto entries = source_.pickle.items(root);
      found = "a dictionary with " + std::to_string(entries.size() / 2) + " entries:";
      for (std::size_t i = 0; i < entries.size() && i < 16; i += 2)
        found += " '" + name_of(entries[i]).value_or("?") + "'";
    }
    source_.fail(Kind::no_state_dict, CheckpointError::no_offset,
                 "no table of named tensors under 'state_dict_ema', 'model', 'state_dict' or at the top "
                 "level; found " +
                     found);
  }

  const PickleValue* model_of(const PickleValue& root) const {
    return root.is(ValueKind::dict) ? source_.pickle.find(root, "model") : nullptr;
  }

  const PickleSource& source_;
  const PickleValue* selected_ = nullptr;
  CheckpointContents contents_;
  std::size_t entries_ = 0;
  std::size_t text_ = 0;
};

/// Reads the weights and everything else that a pickle holds.
inline CheckpointContents read_state_dict(const PickleSource& source) {
  return StateDictReader(source).read();
}

}  // namespace dformer::io
