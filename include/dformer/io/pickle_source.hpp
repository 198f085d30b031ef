#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include <dformer/core/dtype.hpp>
#include <dformer/io/checkpoint_error.hpp>
#include <dformer/io/kept_bytes.hpp>
#include <dformer/io/pickle_value.hpp>

namespace dformer::io {

/// A storage as a persistent id of torch names it.
struct TorchStorage {
  DType dtype = DType::float32;
  std::string key;
  std::uint64_t numel = 0;
  // Old files may refer to a part of a storage; otherwise this is the whole.
  std::uint64_t view_offset = 0;
  std::uint64_t view_numel = 0;
};

/// A pickle together with what gives its tensors their bytes.
struct PickleSource {
  const Pickle& pickle;
  std::string_view path;
  KeptBytes& kept;
  /// The bytes of a torch storage; empty function for files that have none.
  std::function<std::span<const std::byte>(const TorchStorage&, std::uint64_t file_offset)> storage;
  std::endian byte_order = std::endian::little;  ///< of torch's storages

  [[noreturn]] void fail(CheckpointError::Kind kind, std::uint64_t file_offset,
                         const std::string& what) const {
    throw_checkpoint_error(kind, path, file_offset, what);
  }

  /// The arguments of an object's call, at least `count` of them.
  std::span<const PickleValue> arguments(const PickleObject& object, std::size_t count) const {
    const auto given = pickle.items(object.arguments);
    if (given.size() < count) {
      fail(CheckpointError::Kind::corrupt_container, object.file_offset,
           "pickle: a call with " + std::to_string(given.size()) + " arguments, at least " +
               std::to_string(count) + " expected");
    }
    return given;
  }
};

}  // namespace dformer::io
