#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <dformer/io/tensor_record.hpp>
#include <dformer/io/torch_storages.hpp>
#include <dformer/io/tree_pickler.hpp>

namespace dformer::io {

/// The form of torch.save: an archive of records, or one stream as before version 1.6.
enum class TorchForm : std::uint8_t { zip, legacy };

/// The function that writes it, for errors.
constexpr std::string_view writer_of(TorchForm form) {
  return form == TorchForm::zip ? "write_torch_checkpoint" : "write_torch_legacy";
}

/// Pickles a tree as torch.save does, in protocol 2. Tensors become references to numbered storages.
class TorchPickler final : public TreePickler {
 public:
  /// Throws: ArgumentError, as TreePickler does.
  TorchPickler(const TorchValue& root, TorchForm form) : TreePickler(2, writer_of(form)), form_(form) {
    write(root);
    out_.stop();
    pickle_ = out_.take();
  }

  const std::string& pickle() const { return pickle_; }
  /// The tensor of each storage, in the order of their numbers.
  const std::vector<NamedTensor>& storages() const { return storages_; }

 private:
  /// torch._utils._rebuild_tensor_v2(storage, offset, shape, strides, requires_grad, backward_hooks)
  void write_tensor(const TensorSource& tensor) override {
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

  /// The persistent id ('storage', torch.FloatStorage, '0', 'cpu', numel), to which the old form adds the
  /// part of the storage that is meant: None for the whole.
  void write_storage(const TensorSource& tensor) {
    out_.mark();
    out_.text("storage");
    for (const auto& [name, dtype] : torch_storages) {
      if (dtype == tensor.dtype) out_.global("torch", name);
    }
    out_.text(std::to_string(storages_.size()));
    out_.text("cpu");
    out_.integer(tensor.shape.numel());
    if (form_ == TorchForm::legacy) out_.none();
    out_.tuple();
    out_.persistent_id();
    storages_.push_back({path(), tensor});
  }

  TorchForm form_;
  std::string pickle_;
  std::vector<NamedTensor> storages_;
};

}  // namespace dformer::io
