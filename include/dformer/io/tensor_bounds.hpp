#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include <dformer/core/dtype.hpp>
#include <dformer/core/shape.hpp>
#include <dformer/io/checkpoint_error.hpp>
#include <dformer/io/limits.hpp>
#include <dformer/io/tensor_record.hpp>

namespace dformer::io {

/// Refuses a record whose elements do not all lie inside its storage, so that nobody need look again.
/// Throws: CheckpointError(invalid_shape) or (out_of_bounds).
inline void check_bounds(const TensorRecord& record, std::string_view path,
                         std::uint64_t file_offset = CheckpointError::no_offset) {
  using Kind = CheckpointError::Kind;
  const auto fail = [&](Kind kind, const std::string& what) {
    throw_checkpoint_error(kind, path, file_offset,
                           "tensor '" + record.name + "' of shape " + to_string(record.shape) + ", strides " +
                               to_string(record.strides) + ", offset " + std::to_string(record.offset) +
                               ": " + what);
  };
  const std::uint64_t room = record.storage.size() / size_of(record.dtype);
  const std::string too_far = "reaches outside its storage of " + std::to_string(room) + " elements";
  for (std::int64_t extent : record.shape) {
    if (extent < 0) fail(Kind::invalid_shape, "an extent is negative");
  }
  // The count must fit 64 bits, also in bytes, even where an extent or a stride is zero; and so must the way
  // to an element, also along an axis of one.
  constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max() / 8;
  for (std::int64_t stride : record.strides) {
    if (stride < 0) fail(Kind::invalid_shape, "a stride is negative");
    if (stride > most) fail(Kind::out_of_bounds, too_far);
  }
  if (record.offset < 0) fail(Kind::out_of_bounds, "the offset is negative");

  bool empty = false;
  std::int64_t count = 1;
  std::int64_t last = record.offset;
  for (int axis = 0; axis < record.shape.rank(); ++axis) {
    const std::int64_t extent = record.shape[axis];
    const std::int64_t stride = record.strides[axis];
    empty = empty || extent == 0;
    if (extent == 0) continue;
    if (count > most / extent) fail(Kind::out_of_bounds, "the number of elements overflows");
    count *= extent;
    if (last > most || (stride != 0 && extent - 1 > (most - last) / stride))
      fail(Kind::out_of_bounds, too_far);
    last += (extent - 1) * stride;
  }
  if (empty ? static_cast<std::uint64_t>(record.offset) > room : static_cast<std::uint64_t>(last) >= room) {
    fail(Kind::out_of_bounds, too_far);
  }
  if (!empty && count > most_repeated && static_cast<std::uint64_t>(count) > room) {
    fail(Kind::out_of_bounds, "its " + std::to_string(count) +
                                  " elements are those of its storage repeated; at most " +
                                  std::to_string(most_repeated) + " are read so");
  }
}

}  // namespace dformer::io
