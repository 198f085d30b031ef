#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <dformer/core/dtype.hpp>
#include <dformer/io/checkpoint_error.hpp>
#include <dformer/io/limits.hpp>
#include <dformer/io/pickle_shape.hpp>
#include <dformer/io/pickle_source.hpp>
#include <dformer/io/tensor_bounds.hpp>
#include <dformer/io/tensor_record.hpp>
#include <dformer/io/torch_storages.hpp>

namespace dformer::io {

/// Reads the tensors that torch pickles: `_rebuild_tensor_v2(storage, offset, shape, strides, …)`.
class TorchReader {
 public:
  explicit TorchReader(const PickleSource& source) : source_(source) {}

  static bool is_tensor(const PickleGlobal& callable) {
    return callable.module == "torch._utils" &&
           (callable.name == "_rebuild_tensor_v2" || callable.name == "_rebuild_tensor");
  }

  /// `object` is one for whose callable is_tensor holds.
  /// Throws: CheckpointError.
  TensorRecord read(const PickleObject& object, std::string name) const {
    const auto arguments = source_.arguments(object, 4);
    if (!arguments[0].is(PickleValue::Kind::persistent_id) || !arguments[1].is(PickleValue::Kind::integer)) {
      fail(object.file_offset, "tensor '" + name + "' has no storage or no offset");
    }
    TensorRecord record;
    record.name = std::move(name);
    record.offset = arguments[1].integer;
    record.shape = read_extents(source_, arguments[2], object);
    record.strides = read_extents(source_, arguments[3], object);
    if (record.shape.rank() == 0) record.strides = Shape{};  // Jittor gives a scalar the stride 1
    if (record.strides.rank() != record.shape.rank()) {
      source_.fail(Kind::invalid_shape, object.file_offset,
                   "tensor '" + record.name + "' has shape " + to_string(record.shape) + " but strides " +
                       to_string(record.strides));
    }
    const TorchStorage storage = storage_of(source_, arguments[0], object.file_offset);
    record.dtype = storage.dtype;
    record.byte_order = source_.byte_order;
    const std::span<const std::byte> bytes = source_.storage(storage, object.file_offset);
    const std::uint64_t expected = storage.numel * size_of(storage.dtype);
    if (bytes.size() != expected) {
      source_.fail(Kind::size_mismatch, object.file_offset,
                   "storage '" + storage.key + "' should have " + std::to_string(expected) +
                       " bytes, the file has " + std::to_string(bytes.size()));
    }
    record.storage = bytes.subspan(storage.view_offset * size_of(storage.dtype),
                                   storage.view_numel * size_of(storage.dtype));
    check_bounds(record, source_.path, object.file_offset);
    return record;
  }

  /// Understands a persistent id: ('storage', torch.FloatStorage, key, device, numel[, view]). The device is
  /// where the tensor was saved from and does not matter here.
  static TorchStorage storage_of(const PickleSource& source, const PickleValue& id,
                                 std::uint64_t file_offset) {
    const PickleValue& tuple = source.pickle.items(id)[0];
    const auto fail = [&](const std::string& what) {
      source.fail(Kind::corrupt_container, file_offset, "pickle: a storage reference " + what);
    };
    if (!tuple.is(PickleValue::Kind::tuple)) fail("is no tuple");
    const auto parts = source.pickle.items(tuple);
    if (parts.size() < 5 || !parts[0].is(PickleValue::Kind::text) || parts[0].text() != "storage") {
      fail("does not have the form ('storage', type, key, device, size)");
    }
    if (!parts[1].is(PickleValue::Kind::global)) fail("names no storage type");
    TorchStorage storage;
    storage.dtype = storage_dtype(source, source.pickle.global(parts[1]), file_offset);
    if (parts[2].is(PickleValue::Kind::text)) {
      if (parts[2].data.size() > longest_name) fail("has a key of too many bytes");
      storage.key = parts[2].text();
    } else if (parts[2].is(PickleValue::Kind::integer)) {  // Jittor
      storage.key = std::to_string(parts[2].integer);
    } else {
      fail("has no key");
    }
    if (!parts[4].is(PickleValue::Kind::integer) || parts[4].integer < 0) fail("has no size");
    storage.numel = static_cast<std::uint64_t>(parts[4].integer);
    if (storage.numel > (std::uint64_t{1} << 60)) fail("has an impossible size");
    storage.view_numel = storage.numel;
    if (parts.size() > 5 && parts[5].is(PickleValue::Kind::tuple)) {  // (key, offset, size) of a part
      const auto view = source.pickle.items(parts[5]);
      const bool integers = view.size() == 3 && view[1].is(PickleValue::Kind::integer) &&
                            view[2].is(PickleValue::Kind::integer);
      if (!integers) fail("has a part that is not (key, offset, size)");
      storage.view_offset = static_cast<std::uint64_t>(view[1].integer);
      storage.view_numel = static_cast<std::uint64_t>(view[2].integer);
      if (storage.view_offset > storage.numel || storage.view_numel > storage.numel - storage.view_offset) {
        source.fail(Kind::out_of_bounds, file_offset, "part of a storage reaches outside of it");
      }
    }
    return storage;
  }

 private:
  using Kind = CheckpointError::Kind;

  [[noreturn]] void fail(std::uint64_t file_offset, const std::string& what) const {
    source_.fail(Kind::corrupt_container, file_offset, "pickle: " + what);
  }

  static DType storage_dtype(const PickleSource& source, const PickleGlobal& global,
                             std::uint64_t file_offset) {
    if (global.module == "torch" || global.module == "torch.cuda") {
      for (const auto& [known, dtype] : torch_storages) {
        if (known == global.name) return dtype;
      }
    }
    source.fail(Kind::unsupported_dtype, file_offset,
                "storage type '" + global.full_name() + "' is not supported");
  }

  const PickleSource& source_;
};

}  // namespace dformer::io
