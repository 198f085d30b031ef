#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <dformer/io/checkpoint_error.hpp>
#include <dformer/io/tensor_bounds.hpp>
#include <dformer/io/tensor_record.hpp>

namespace dformer::io {

/// Sets the strides of a record whose shape, type and storage are known, and which fills its storage.
/// Throws: CheckpointError(invalid_shape), (out_of_bounds) or (size_mismatch).
inline void lay_out_array(TensorRecord& record, bool column_major, std::string_view path,
                          std::uint64_t file_offset) {
  record.strides = record.shape;  // of the same rank, so that check_bounds has something to look at
  for (int axis = 0; axis < record.shape.rank(); ++axis) record.strides[axis] = 0;
  check_bounds(record, path, file_offset);  // the extents are sane from here on
  record.strides = contiguous_strides(record.shape);
  if (column_major) {
    std::int64_t stride = 1;
    for (int axis = 0; axis < record.shape.rank(); ++axis) {
      record.strides[axis] = stride;
      stride *= record.shape[axis];
    }
  }
  const auto expected = static_cast<std::uint64_t>(record.numel()) * size_of(record.dtype);
  if (record.storage.size() != expected) {
    throw_checkpoint_error(CheckpointError::Kind::size_mismatch, path, file_offset,
                           "array '" + record.name + "' of shape " + to_string(record.shape) + " needs " +
                               std::to_string(expected) + " bytes, the file has " +
                               std::to_string(record.storage.size()));
  }
}

}  // namespace dformer::io
