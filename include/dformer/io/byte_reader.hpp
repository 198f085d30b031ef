#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <dformer/io/checkpoint_error.hpp>

namespace dformer::io {

/// Bytes seen as characters, without copying.
inline std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// A little-endian cursor over part of a file that never leaves it, and that knows where it stands for error
/// texts.
class ByteReader {
 public:
  /// `origin` is the offset in the file of `bytes[0]`.
  ByteReader(std::span<const std::byte> bytes, std::string_view path, std::uint64_t origin = 0)
      : bytes_(bytes), path_(path), origin_(origin) {}

  std::size_t position() const { return position_; }
  std::size_t size() const { return bytes_.size(); }
  std::size_t remaining() const { return bytes_.size() - position_; }
  std::string_view path() const { return path_; }
  /// Where `position` of this part lies in the file.
  std::uint64_t file_offset(std::size_t position) const { return origin_ + position; }

  void seek(std::uint64_t position) {
    if (position > bytes_.size()) fail_truncated(position - bytes_.size());
    position_ = static_cast<std::size_t>(position);
  }

  /// The next `count` bytes, in place.
  std::span<const std::byte> take(std::uint64_t count) {
    if (count > remaining()) fail_truncated(count - remaining());
    const auto taken = bytes_.subspan(position_, static_cast<std::size_t>(count));
    position_ += taken.size();
    return taken;
  }

  template <std::unsigned_integral Integer>
  Integer read() {
    Integer value = 0;
    unsigned shift = 0;
    for (std::byte byte : take(sizeof(Integer))) {
      value = static_cast<Integer>(value | static_cast<Integer>(static_cast<Integer>(byte) << shift));
      shift += 8;
    }
    return value;
  }

  /// The text up to the next line feed, which is passed over.
  std::string_view line() {
    const std::string_view rest = as_text(bytes_.subspan(position_));
    const std::size_t length = rest.find('\n');
    if (length == rest.npos)
      fail(CheckpointError::Kind::corrupt_container, "a line has no end; is the file cut off?");
    position_ += length + 1;
    return rest.substr(0, length);
  }

  /// Throws a CheckpointError at byte `position` of this part.
  [[noreturn]] void fail(CheckpointError::Kind kind, std::string_view what, std::size_t position) const {
    throw_checkpoint_error(kind, path_, origin_ + position, what);
  }
  [[noreturn]] void fail(CheckpointError::Kind kind, std::string_view what) const {
    fail(kind, what, position_);
  }

 private:
  [[noreturn, gnu::cold, gnu::noinline]] void fail_truncated(std::uint64_t lacking) const {
    fail(CheckpointError::Kind::corrupt_container,
         "the file ends " + std::to_string(lacking) +
             " bytes too early; it is cut off or damaged: fetch it again");
  }

  std::span<const std::byte> bytes_;
  std::string_view path_;
  std::uint64_t origin_;
  std::size_t position_ = 0;
};

}  // namespace dformer::io
