#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <dformer/io/byte_reader.hpp>

namespace dformer::io {

/// One value of a pickle. Text and bytes are views of the file; containers and objects are numbers into their
/// Pickle, so that neither depth, sharing nor cycles of the file can exhaust the stack or memory here.
struct PickleValue {
  enum class Kind : std::uint8_t {
    none,
    boolean,        ///< in `integer`
    integer,        ///< in `integer`
    real,           ///< in `real`
    text,           ///< UTF-8, or whatever Python 2 wrote, in `data`
    bytes,          ///< in `data`
    big_integer,    ///< more than 64 bits, little-endian two's complement, in `data`
    list,           ///< Pickle::items
    tuple,          ///< Pickle::items
    set,            ///< Pickle::items
    dict,           ///< Pickle::items: key, value, key, value …; a later key replaces an earlier one
    global,         ///< a Python name, Pickle::global
    object,         ///< what calling a Python name would have given, Pickle::object
    persistent_id,  ///< a reference to something outside the pickle; Pickle::items holds the one value that
                    ///< names it
  };

  Kind kind = Kind::none;
  union {
    std::int64_t integer = 0;
    double real;
    std::size_t index;
  };
  std::span<const std::byte> data;

  bool is(Kind other) const { return kind == other; }
  std::string_view text() const { return as_text(data); }
};

/// A Python name as a pickle spells it, such as `collections` and `OrderedDict`.
struct PickleGlobal {
  std::string_view module;
  std::string_view name;

  bool is(std::string_view other_module, std::string_view other_name) const {
    return module == other_module && name == other_name;
  }
  std::string full_name() const { return std::string(module) + "." + std::string(name); }
};

/// The record of a call that was never made: who would have been called, with what, and the state set
/// afterwards.
struct PickleObject {
  PickleValue callable;
  PickleValue arguments;
  PickleValue state;
  std::uint64_t file_offset = 0;  ///< of the call
};

/// What a pickle says, as data.
class Pickle {
 public:
  const PickleValue& root() const { return root_; }

  std::span<const PickleValue> items(const PickleValue& container) const {
    return containers_[container.index];
  }
  const PickleGlobal& global(const PickleValue& value) const { return globals_[value.index]; }
  const PickleObject& object(const PickleValue& value) const { return objects_[value.index]; }

  /// Every persistent id in the order of its appearance.
  std::span<const PickleValue> persistent_ids() const { return persistent_ids_; }

  /// The value of a text key, or nullptr.
  const PickleValue* find(const PickleValue& dict, std::string_view key) const {
    const auto entries = items(dict);
    for (std::size_t i = entries.size(); i >= 2; i -= 2) {  // the last one wins
      const PickleValue& candidate = entries[i - 2];
      if (candidate.is(PickleValue::Kind::text) && candidate.text() == key) return &entries[i - 1];
    }
    return nullptr;
  }

  /// The name whose call made this object; nullptr for other values and for calls of something else than a
  /// name.
  const PickleGlobal* callable(const PickleValue& value) const {
    if (!value.is(PickleValue::Kind::object)) return nullptr;
    const PickleValue& called = object(value).callable;
    return called.is(PickleValue::Kind::global) ? &global(called) : nullptr;
  }

 private:
  friend class PickleMachine;

  PickleValue root_;
  std::vector<std::vector<PickleValue>> containers_;
  std::vector<PickleGlobal> globals_;
  std::vector<PickleObject> objects_;
  std::vector<PickleValue> persistent_ids_;
};

}  // namespace dformer::io
