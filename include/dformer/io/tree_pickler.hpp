#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <dformer/core/error.hpp>
#include <dformer/io/pickle_writer.hpp>
#include <dformer/io/tensor_source.hpp>
#include <dformer/io/torch_value.hpp>

namespace dformer::io {

/// Pickles a tree of values. What becomes of its tensors is for each container to say.
class TreePickler {
 public:
  TreePickler(const TreePickler&) = delete;
  TreePickler& operator=(const TreePickler&) = delete;

 protected:
  /// `function` is what errors name.
  TreePickler(std::uint8_t protocol, std::string_view function) : out_(protocol), function_(function) {}
  ~TreePickler() = default;

  /// `tensor` has a content and a valid shape.
  virtual void write_tensor(const TensorSource& tensor) = 0;

  /// Throws: ArgumentError for a key that stands twice, a tensor without content or of an impossible shape.
  void write(const TorchValue& value) {
    std::visit([this](const auto& content) { write(content); }, value.content());
  }

  void write_extents(const Shape& extents) {
    out_.mark();
    for (const std::int64_t extent : extents) out_.integer(extent);
    out_.tuple();
  }

  /// Where in the tree the value that is being written stands.
  std::string path() const {
    std::string name;
    for (const std::string& part : path_) (name += name.empty() ? "" : ".") += part;
    return name;
  }

  PickleWriter out_;

 private:
  void write(std::monostate) { out_.none(); }
  void write(bool value) { out_.boolean(value); }
  void write(std::int64_t value) { out_.integer(value); }
  void write(double value) { out_.real(value); }
  void write(const std::string& value) { out_.text(value); }
  void write(const TorchList& list) {
    out_.empty_list();
    out_.mark();
    write_items(list.items);
    out_.appends();
  }
  void write(const TorchTuple& tuple) {
    out_.mark();
    write_items(tuple.items);
    out_.tuple();
  }
  void write_items(const std::vector<TorchValue>& items) {
    for (std::size_t i = 0; i < items.size(); ++i) {
      path_.push_back(std::to_string(i));
      write(items[i]);
      path_.pop_back();
    }
  }
  void write(const TorchDict& dict) {
    std::set<TorchKey> keys;
    out_.empty_dict();
    out_.mark();
    for (const auto& [key, value] : dict.entries) {
      if (!keys.insert(key).second)
        throw_argument_error(place() + "the key '" + text_of(key) + "' stands twice in one dict");
      std::visit([this](const auto& content) { write(content); }, key);
      path_.push_back(text_of(key));
      write(value);
      path_.pop_back();
    }
    out_.set_items();
  }
  void write(const TensorSource& tensor) {
    if (!tensor.content || !tensor.shape.is_valid()) {
      throw_argument_error(place() + "tensor '" + path() + "' of shape " + to_string(tensor.shape) +
                           (tensor.content ? " cannot exist" : " has no content"));
    }
    write_tensor(tensor);
  }

  static std::string text_of(const TorchKey& key) {
    const auto* text = std::get_if<std::string>(&key);
    return text != nullptr ? *text : std::to_string(std::get<std::int64_t>(key));
  }
  std::string place() const { return "[" + std::string(function_) + "] "; }

  std::string_view function_;
  std::vector<std::string> path_;
};

}  // namespace dformer::io
