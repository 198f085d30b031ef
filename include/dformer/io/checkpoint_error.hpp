#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

#include <dformer/core/error.hpp>
#include <dformer/io/utf8.hpp>

namespace dformer {

/// A checkpoint file cannot be read, cannot be trusted, or does not fit the network.
class CheckpointError : public Error {
 public:
  enum class Kind : std::uint8_t {
    io_failure,               ///< the operating system refused: no such file, no permission
    unrecognized_format,      ///< not a checkpoint at all: empty, text, a web page, a git-lfs pointer
    corrupt_container,        ///< cut off or damaged: the file contradicts its own format
    missing_record,           ///< an archive lacks a record that the rest refers to
    size_mismatch,            ///< a record is longer or shorter than declared
    crc_mismatch,             ///< the bytes of an archive record differ from its CRC-32
    checksum_mismatch,        ///< the bytes of a Jittor file differ from its SHA-1
    out_of_bounds,            ///< a tensor reaches outside its storage
    invalid_shape,            ///< an extent is negative, or there are more than Shape::max_rank of them
    unsafe_pickle,            ///< the pickle names a function that runs code; nothing was run
    unsupported_global,       ///< a Python class stands where a tensor is needed
    unsupported_dtype,        ///< an element type without a counterpart in DType
    unsupported_compression,  ///< a compressed record, and this build has no zlib
    no_state_dict,            ///< readable, but nothing in it is a table of tensors
    key_mismatch,             ///< names or shapes differ from the network's; the text is the whole LoadReport
  };

  /// `offset` of an error that belongs to no particular byte.
  static constexpr std::uint64_t no_offset = std::numeric_limits<std::uint64_t>::max();

  CheckpointError(Kind kind, std::string_view path, std::uint64_t offset, std::string_view what)
      : Error(message(path, offset, what)), path_(path), offset_(offset), kind_(kind) {}

  Kind kind() const { return kind_; }
  const std::string& path() const { return path_; }
  /// Byte of the file where reading stopped, or `no_offset`.
  std::uint64_t offset() const { return offset_; }

 private:
  static std::string message(std::string_view path, std::uint64_t offset, std::string_view what) {
    std::string text = "[";
    text += path;
    if (offset != no_offset) text += ", byte " + std::to_string(offset);
    text += "] ";
    text += what;  // it may quote names of a file from anywhere
    return io::without_control_characters(std::move(text));
  }

  std::string path_;
  std::uint64_t offset_;
  Kind kind_;
};

constexpr std::string_view to_string(CheckpointError::Kind kind) {
  using Kind = CheckpointError::Kind;
  switch (kind) {
    case Kind::io_failure:
      return "io_failure";
    case Kind::unrecognized_format:
      return "unrecognized_format";
    case Kind::corrupt_container:
      return "corrupt_container";
    case Kind::missing_record:
      return "missing_record";
    case Kind::size_mismatch:
      return "size_mismatch";
    case Kind::crc_mismatch:
      return "crc_mismatch";
    case Kind::checksum_mismatch:
      return "checksum_mismatch";
    case Kind::out_of_bounds:
      return "out_of_bounds";
    case Kind::invalid_shape:
      return "invalid_shape";
    case Kind::unsafe_pickle:
      return "unsafe_pickle";
    case Kind::unsupported_global:
      return "unsupported_global";
    case Kind::unsupported_dtype:
      return "unsupported_dtype";
    case Kind::unsupported_compression:
      return "unsupported_compression";
    case Kind::no_state_dict:
      return "no_state_dict";
    case Kind::key_mismatch:
      return "key_mismatch";
  }
  return "?";
}

[[noreturn, gnu::cold, gnu::noinline]] inline void throw_checkpoint_error(CheckpointError::Kind kind,
                                                                          std::string_view path,
                                                                          std::uint64_t offset,
                                                                          std::string_view what) {
  throw CheckpointError(kind, path, offset, what);
}

}  // namespace dformer
