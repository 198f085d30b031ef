#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include <dformer/io/check_contents.hpp>
#include <dformer/io/checkpoint_contents.hpp>
#include <dformer/io/checkpoint_error.hpp>
#include <dformer/io/key_map.hpp>

namespace dformer::fuzz {

/// Reads every element of a tensor, so that a view that leaves its storage is seen by the address sanitizer.
inline void touch(const TensorRecord& tensor) {
  constexpr std::int64_t most =
      1 << 16;  // a stride of 0 makes many elements of few bytes; a caller knows what it wants
  if (tensor.numel() > most) return;
  tensor.to_float32();
  try {
    tensor.to_int64();
  } catch (const ArgumentError&) {  // elements that are no integers
  }
}

/// Runs a reader: whatever the bytes are, it gives tensors that can be read, or throws a CheckpointError.
template <class Read>
void expect_contents_or_error(Read read) {
  try {
    const io::CheckpointContents contents = read();
    io::check_contents(contents, "fuzz");
    for (const TensorRecord& tensor : contents.tensors) {
      touch(tensor);
      candidate_keys(tensor.name);
    }
    for (const TensorRecord& tensor : contents.others) touch(tensor);
  } catch (const CheckpointError&) {
  }
}

inline std::span<const std::byte> bytes(const std::uint8_t* data, std::size_t size) {
  return std::as_bytes(std::span(data, size));
}

}  // namespace dformer::fuzz
