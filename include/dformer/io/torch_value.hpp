#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <dformer/core/error.hpp>
#include <dformer/io/tensor_source.hpp>

namespace dformer {

class TorchValue;
struct TorchEntry;

struct TorchList {
  std::vector<TorchValue> items;

  TorchList();
  TorchList(std::initializer_list<TorchValue> values);
  explicit TorchList(std::vector<TorchValue> values);
};

struct TorchTuple {
  std::vector<TorchValue> items;

  TorchTuple();
  TorchTuple(std::initializer_list<TorchValue> values);
  explicit TorchTuple(std::vector<TorchValue> values);
};

/// Python's dict: the order of the entries is kept, and no key may stand twice.
struct TorchDict {
  std::vector<TorchEntry> entries;

  TorchDict();
  TorchDict(std::initializer_list<TorchEntry> values);

  template <class Key>
  TorchDict& add(Key&& key, TorchValue value);
};

/// What torch.save can be given and torch.load gives back: None, numbers, text, tensors, and lists, tuples
/// and dictionaries of these.
class TorchValue {
 public:
  using Content = std::variant<std::monostate, bool, std::int64_t, double, std::string, TensorSource,
                               TorchList, TorchTuple, TorchDict>;

  TorchValue();  ///< None
  template <std::integral Integer>
  TorchValue(Integer value);  ///< a bool stays one; ArgumentError beyond 63 bits
  template <std::floating_point Real>
  TorchValue(Real value);
  TorchValue(const char* text);
  TorchValue(std::string_view text);
  TorchValue(std::string text);
  TorchValue(TensorSource tensor);
  TorchValue(TorchList list);
  TorchValue(TorchTuple tuple);
  TorchValue(TorchDict dict);

  const Content& content() const { return content_; }
  Content& content() { return content_; }

 private:
  Content content_;
};

/// A text, or the integers by which an optimizer numbers its parameters.
using TorchKey = std::variant<std::int64_t, std::string>;

struct TorchEntry {
  TorchKey key;
  TorchValue value;

  TorchEntry(const char* text, TorchValue of) : key(std::string(text)), value(std::move(of)) {}
  TorchEntry(std::string_view text, TorchValue of) : key(std::string(text)), value(std::move(of)) {}
  TorchEntry(std::string text, TorchValue of) : key(std::move(text)), value(std::move(of)) {}
  TorchEntry(TorchKey of_either_kind, TorchValue of) : key(std::move(of_either_kind)), value(std::move(of)) {}
  template <std::integral Integer>
  TorchEntry(Integer number, TorchValue of) : key(static_cast<std::int64_t>(number)), value(std::move(of)) {}
};

// Here every type is complete.

inline TorchValue::TorchValue() = default;
template <std::integral Integer>
TorchValue::TorchValue(Integer value) {
  if constexpr (std::same_as<Integer, bool>) {
    content_ = value;
  } else {
    if (!std::in_range<std::int64_t>(value))
      throw_argument_error("[TorchValue] an integer of more than 63 bits; store it as a text or a tensor");
    content_ = static_cast<std::int64_t>(value);
  }
}
template <std::floating_point Real>
TorchValue::TorchValue(Real value) : content_(static_cast<double>(value)) {}
inline TorchValue::TorchValue(const char* text) : content_(std::string(text)) {}
inline TorchValue::TorchValue(std::string_view text) : content_(std::string(text)) {}
inline TorchValue::TorchValue(std::string text) : content_(std::move(text)) {}
inline TorchValue::TorchValue(TensorSource tensor) : content_(std::move(tensor)) {}
inline TorchValue::TorchValue(TorchList list) : content_(std::move(list)) {}
inline TorchValue::TorchValue(TorchTuple tuple) : content_(std::move(tuple)) {}
inline TorchValue::TorchValue(TorchDict dict) : content_(std::move(dict)) {}

inline TorchList::TorchList() = default;
inline TorchList::TorchList(std::initializer_list<TorchValue> values) : items(values) {}
inline TorchList::TorchList(std::vector<TorchValue> values) : items(std::move(values)) {}
inline TorchTuple::TorchTuple() = default;
inline TorchTuple::TorchTuple(std::initializer_list<TorchValue> values) : items(values) {}
inline TorchTuple::TorchTuple(std::vector<TorchValue> values) : items(std::move(values)) {}
inline TorchDict::TorchDict() = default;
inline TorchDict::TorchDict(std::initializer_list<TorchEntry> values) : entries(values) {}

template <class Key>
TorchDict& TorchDict::add(Key&& key, TorchValue value) {
  entries.emplace_back(std::forward<Key>(key), std::move(value));
  return *this;
}

}  // namespace dformer
