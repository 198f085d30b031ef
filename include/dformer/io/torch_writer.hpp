#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include <dformer/core/atomic_file.hpp>
#include <dformer/core/error.hpp>
#include <dformer/io/pickle_writer.hpp>
#include <dformer/io/tensor_record.hpp>
#include <dformer/io/torch_storages.hpp>
#include <dformer/io/torch_value.hpp>
#include <dformer/io/zip_writer.hpp>

namespace dformer {

namespace io {

/// Pickles a tree as torch.save does, in protocol 2. Tensors become references to numbered storages.
class TorchPickler {
 public:
  /// Throws: ArgumentError for a key that stands twice, a tensor without content or of an impossible shape.
  explicit TorchPickler(const TorchValue& root) {
    write(root);
    out_.stop();
    pickle_ = out_.take();
  }

  const std::string& pickle() const { return pickle_; }
  /// The tensor of each storage, in the order of their numbers.
  const std::vector<const TensorSource*>& storages() const { return storages_; }

 private:
  void write(const TorchValue& value) {
    std::visit([this](const auto& content) { write(content); }, value.content());
  }
  void write(std::monostate) { out_.none(); }
  void write(bool value) { out_.boolean(value); }
  void write(std::int64_t value) { out_.integer(value); }
  void write(double value) { out_.real(value); }
  void write(const std::string& value) { out_.text(value); }
  void write(const TorchList& list) {
    out_.empty_list();
    out_.mark();
    for (const TorchValue& item : list.items) write(item);
    out_.appends();
  }
  void write(const TorchTuple& tuple) {
    out_.mark();
    for (const TorchValue& item : tuple.items) write(item);
    out_.tuple();
  }
  void write(const TorchDict& dict) {
    std::set<TorchKey> keys;
    out_.empty_dict();
    out_.mark();
    for (const auto& [key, value] : dict.entries) {
      if (!keys.insert(key).second) {
        throw_argument_error("[write_torch_checkpoint] the key '" + text_of(key) +
                             "' stands twice in one dict");
      }
      std::visit([this](const auto& content) { write(content); }, key);
      path_.push_back(text_of(key));
      write(value);
      path_.pop_back();
    }
    out_.set_items();
  }

  /// torch._utils._rebuild_tensor_v2(storage, offset, shape, strides, requires_grad, backward_hooks)
  void write(const TensorSource& tensor) {
    if (!tensor.content || !tensor.shape.is_valid()) fail_tensor(tensor);
    out_.global("torch._utils", "_rebuild_tensor_v2");
    out_.mark();
    write_storage(tensor);
    out_.integer(0);
    write_extents(tensor.shape);
    write_extents(contiguous_strides(tensor.shape));
    out_.boolean(false);
    out_.global("collections", "OrderedDict");
    out_.empty_tuple();
    out_.reduce();
    out_.tuple();
    out_.reduce();
  }
  /// The persistent id ('storage', torch.FloatStorage, '0', 'cpu', numel).
  void write_storage(const TensorSource& tensor) {
    out_.mark();
    out_.text("storage");
    for (const auto& [name, dtype] : torch_storages) {
      if (dtype == tensor.dtype) out_.global("torch", name);
    }
    out_.text(std::to_string(storages_.size()));
    out_.text("cpu");
    out_.integer(tensor.shape.numel());
    out_.tuple();
    out_.persistent_id();
    storages_.push_back(&tensor);
  }
  void write_extents(const Shape& extents) {
    out_.mark();
    for (const std::int64_t extent : extents) out_.integer(extent);
    out_.tuple();
  }

  static std::string text_of(const TorchKey& key) {
    const auto* text = std::get_if<std::string>(&key);
    return text != nullptr ? *text : std::to_string(std::get<std::int64_t>(key));
  }

  [[noreturn]] void fail_tensor(const TensorSource& tensor) const {
    std::string name;
    for (const std::string& part : path_) (name += name.empty() ? "" : ".") += part;
    throw_argument_error("[write_torch_checkpoint] tensor '" + name + "' of shape " +
                         to_string(tensor.shape) + (tensor.content ? " cannot exist" : " has no content"));
  }

  PickleWriter out_{2};
  std::string pickle_;
  std::vector<const TensorSource*> storages_;
  std::vector<std::string> path_;
};

}  // namespace io

/// Writes a tree of values as torch.save does since version 1.6, so that `torch.load(path,
/// weights_only=True)` gives it back: `write_torch_checkpoint("state.pth", TorchDict{{"model",
/// torch_state_dict(net)}, {"epoch", 3}})`. Tensors are asked for their elements one after the other, in the
/// order of the tree, and stored uncompressed at multiples of 64 bytes. The file appears complete or not at
/// all. Throws: ArgumentError for a key that stands twice in a dict or a tensor whose content has another
/// size than its shape; FileError.
inline void write_torch_checkpoint(const std::filesystem::path& path, const TorchValue& root) {
  const io::TorchPickler pickler(root);
  AtomicFile file(path);
  io::ZipWriter zip(file);
  zip.add("archive/data.pkl", pickler.pickle());
  zip.add("archive/byteorder", "little");
  std::size_t number = 0;
  for (const TensorSource* tensor : pickler.storages()) {
    zip.add("archive/data/" + std::to_string(number++), tensor->size(), tensor->content);
  }
  zip.add("archive/version", "3\n");
  zip.finish();
  file.commit();
}

}  // namespace dformer
