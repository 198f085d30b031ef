#pragma once

#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

#include <dformer/core/error.hpp>
#include <dformer/io/crc32.hpp>
#include <dformer/io/little_endian.hpp>

namespace dformer {

namespace detail {

/// The wire format of protocol buffers, as much as an event of one number needs. Five fields are no reason to
/// ask every user for a library and its code generator.
class ProtoMessage {
 public:
  ProtoMessage& varint(unsigned field, std::uint64_t value) {
    raw_varint(field << 3 | 0u);
    raw_varint(value);
    return *this;
  }
  ProtoMessage& number(unsigned field, double value) {
    raw_varint(field << 3 | 1u);
    return fixed(std::bit_cast<std::uint64_t>(value));
  }
  ProtoMessage& number(unsigned field, float value) {
    raw_varint(field << 3 | 5u);
    return fixed(std::bit_cast<std::uint32_t>(value));
  }
  /// A string or another message.
  ProtoMessage& bytes(unsigned field, std::string_view value) {
    raw_varint(field << 3 | 2u);
    raw_varint(value.size());
    text_ += value;
    return *this;
  }
  /// Its lowest byte first.
  template <class Unsigned>
  ProtoMessage& fixed(Unsigned value) {
    io::append_little_endian(text_, value);
    return *this;
  }
  ProtoMessage& raw(std::string_view value) {
    text_ += value;
    return *this;
  }
  const std::string& text() const { return text_; }

 private:
  void raw_varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) text_ += static_cast<char>(value | 0x80u);
    text_ += static_cast<char>(value);
  }
  std::string text_;
};

/// A record of an event file: length, its checksum, the bytes, theirs; checksums are rotated and shifted.
inline std::string event_record(const std::string& bytes) {
  const auto checksum = [](std::string_view text) {
    const std::uint32_t crc = io::crc32c(std::as_bytes(std::span(text.data(), text.size())));
    return std::rotr(crc, 15) + 0xa282ead8u;
  };
  const std::string length = ProtoMessage().fixed(static_cast<std::uint64_t>(bytes.size())).text();
  return ProtoMessage().raw(length).fixed(checksum(length)).raw(bytes).fixed(checksum(bytes)).text();
}

}  // namespace detail

/// Writes numbers that TensorBoard shows as curves: an event file of its own in `folder`, which may hold
/// those of earlier runs. Every number is in the file when `scalar` returns.
///
///   TensorBoardWriter board("runs/tiny/events", first_step);
///   board.scalar("train/loss", loss, step);
class TensorBoardWriter {
 public:
  /// Makes the folder. `first_step` is the first that this run will do: when it is resumed at another than 0,
  /// TensorBoard is told to forget what earlier files hold from there on. Throws: FileError; so does scalar.
  explicit TensorBoardWriter(const std::filesystem::path& folder, std::int64_t first_step = 0) {
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    if (error) throw FileError("[" + folder.string() + "] cannot be created: " + error.message());
    path_ = unused_name(folder);
    file_.open(path_, std::ios::binary);
    // Field numbers are those of TensorFlow's event.proto and summary.proto.
    write(detail::ProtoMessage().number(1, seconds()).bytes(3, "brain.Event:2"));
    if (first_step > 0) {
      constexpr std::uint64_t session_start = 1;
      write(event(first_step).bytes(7, detail::ProtoMessage().varint(1, session_start).text()));
    }
  }

  void scalar(std::string_view tag, double value, std::int64_t step) {
    const detail::ProtoMessage entry =
        detail::ProtoMessage().bytes(1, tag).number(2, static_cast<float>(value));
    write(event(step).bytes(5, detail::ProtoMessage().bytes(1, entry.text()).text()));
  }

  const std::filesystem::path& path() const { return path_; }

 private:
  static double seconds() {
    return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  }
  static detail::ProtoMessage event(std::int64_t step) {
    return detail::ProtoMessage().number(1, seconds()).varint(2, static_cast<std::uint64_t>(step));
  }
  /// TensorBoard reads the files of a folder in the order of their names.
  static std::filesystem::path unused_name(const std::filesystem::path& folder) {
    const auto now = static_cast<std::int64_t>(seconds());
    for (int i = 0;; ++i) {
      std::filesystem::path path =
          folder / ("events.out.tfevents." + std::to_string(now) + ".dformer." + std::to_string(i));
      if (!std::filesystem::exists(path)) return path;
    }
  }
  void write(const detail::ProtoMessage& message) {
    file_ << detail::event_record(message.text()) << std::flush;
    if (!file_) throw FileError("[" + path_.string() + "] cannot be written; is the disk full?");
  }

  std::filesystem::path path_;
  std::ofstream file_;
};

}  // namespace dformer
