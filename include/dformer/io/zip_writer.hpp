#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <dformer/core/atomic_file.hpp>
#include <dformer/core/error.hpp>
#include <dformer/io/crc32.hpp>
#include <dformer/io/little_endian.hpp>
#include <dformer/io/tensor_source.hpp>

namespace dformer::io {

/// Writes a zip archive record by record, stored and not packed, the content of each on a multiple of 64
/// bytes, so that a reader can map it. Sizes, offsets and counts that are too large for the plain format go
/// to zip64 fields. Nothing depends on the time or the place of writing: equal contents give equal files.
class ZipWriter {
 public:
  using Content = std::function<void(const ByteSink&)>;

  static constexpr std::uint64_t alignment = 64;

  /// `zip64_from` is where sizes and offsets stop fitting; a test makes it small.
  explicit ZipWriter(AtomicFile& file, std::uint64_t zip64_from = std::numeric_limits<std::uint32_t>::max())
      : file_(file), zip64_from_(zip64_from) {}

  /// A record of `size` bytes, which `content` gives to its argument. Names are written once each.
  /// Throws: ArgumentError if it gives another number of bytes; FileError.
  void add(std::string name, std::uint64_t size, const Content& content) {
    Record record{std::move(name), position_, size, 0};
    const std::string header = local_header(record);
    write(header);
    std::uint64_t given = 0;
    content([&](std::span<const std::byte> bytes) {
      given += bytes.size();
      if (given > size) fail_size(record.name, size, given);
      record.crc = crc32(bytes, record.crc);
      file_.write(bytes);
    });
    if (given != size) fail_size(record.name, size, given);
    position_ += size;
    std::string sum;
    put<std::uint32_t>(sum, record.crc);
    file_.rewrite(record.offset + crc_at, std::as_bytes(std::span(sum)));
    records_.push_back(std::move(record));
  }
  void add(std::string name, std::string_view text) {
    add(std::move(name), text.size(), [text](const ByteSink& sink) { sink(std::as_bytes(std::span(text))); });
  }

  /// Writes the table of contents; nothing may follow it.
  void finish() {
    const std::uint64_t begin = position_;
    for (const Record& record : records_) write(central_entry(record));
    const std::uint64_t size = position_ - begin;
    const std::uint64_t count = records_.size();
    std::string end;
    if (count >= 0xffffu || begin >= zip64_from_ || size >= zip64_from_) {
      put<std::uint32_t>(end, 0x06064b50);  // the zip64 end record
      put<std::uint64_t>(end, 44);          // its own size from here
      put<std::uint16_t>(end, made_by);
      put<std::uint16_t>(end, needs_zip64);
      put<std::uint64_t>(end, 0);  // two numbers of disks
      put<std::uint64_t>(end, count);
      put<std::uint64_t>(end, count);
      put<std::uint64_t>(end, size);
      put<std::uint64_t>(end, begin);
      put<std::uint32_t>(end, 0x07064b50);  // where to find it
      put<std::uint32_t>(end, 0);
      put<std::uint64_t>(end, begin + size);
      put<std::uint32_t>(end, 1);
    }
    put<std::uint32_t>(end, 0x06054b50);
    put<std::uint32_t>(end, 0);
    for (int i = 0; i < 2; ++i) put(end, static_cast<std::uint16_t>(count < 0xffffu ? count : 0xffffu));
    put(end, narrow(size));
    put(end, narrow(begin));
    put<std::uint16_t>(end, 0);
    write(end);
  }

 private:
  struct Record {
    std::string name;
    std::uint64_t offset;
    std::uint64_t size;
    std::uint32_t crc;
  };

  static constexpr std::uint16_t needs_plain = 20;
  static constexpr std::uint16_t needs_zip64 = 45;
  static constexpr std::uint16_t made_by = 45;
  static constexpr std::uint16_t utf8_names = 0x0800;
  static constexpr std::uint16_t first_of_1980 = 0x0021;  // as early as the format goes
  static constexpr std::size_t header_size = 30;
  static constexpr std::uint64_t crc_at = 14;

  template <std::unsigned_integral Integer>
  static void put(std::string& text, Integer value) {
    append_little_endian(text, value);
  }

  bool wide(std::uint64_t value) const { return value >= zip64_from_; }
  std::uint32_t narrow(std::uint64_t value) const {
    return wide(value) ? 0xffffffffu : static_cast<std::uint32_t>(value);
  }

  /// From the version to the sizes: what both headers of a record share. The CRC is not known at first.
  void put_facts(std::string& text, const Record& record, bool zip64) const {
    put(text, zip64 ? needs_zip64 : needs_plain);
    put(text, utf8_names);
    put<std::uint16_t>(text, 0);  // stored
    put<std::uint16_t>(text, 0);
    put(text, first_of_1980);
    put(text, record.crc);
    put(text, narrow(record.size));
    put(text, narrow(record.size));
    put(text, static_cast<std::uint16_t>(record.name.size()));
  }

  std::string local_header(const Record& record) const {
    if (record.name.empty() || record.name.size() > 0xffffu) {
      throw_argument_error("[ZipWriter] a name of " + std::to_string(record.name.size()) +
                           " bytes; 1 to 65535 are possible");
    }
    std::string extra;
    if (wide(record.size)) {
      put<std::uint16_t>(extra, 1);
      put<std::uint16_t>(extra, 16);
      put(extra, record.size);
      put(extra, record.size);
    }
    // The field with which PyTorch aligns: "FB", and as many letters as it takes.
    const std::uint64_t end = record.offset + header_size + record.name.size() + extra.size() + 4;
    const std::uint64_t padding = (alignment - end % alignment) % alignment;
    extra += "FB";
    put(extra, static_cast<std::uint16_t>(padding));
    extra.append(static_cast<std::size_t>(padding), 'Z');

    std::string header;
    put<std::uint32_t>(header, 0x04034b50);
    put_facts(header, record, wide(record.size));
    put(header, static_cast<std::uint16_t>(extra.size()));
    return header + record.name + extra;
  }

  std::string central_entry(const Record& record) const {
    std::string wide_fields;
    if (wide(record.size)) {
      put(wide_fields, record.size);
      put(wide_fields, record.size);
    }
    if (wide(record.offset)) put(wide_fields, record.offset);
    std::string extra;
    if (!wide_fields.empty()) {
      put<std::uint16_t>(extra, 1);
      put(extra, static_cast<std::uint16_t>(wide_fields.size()));
      extra += wide_fields;
    }
    std::string entry;
    put<std::uint32_t>(entry, 0x02014b50);
    put(entry, made_by);
    put_facts(entry, record, !extra.empty());
    put(entry, static_cast<std::uint16_t>(extra.size()));
    put<std::uint64_t>(entry, 0);  // no comment, the first disk, no attributes within
    put<std::uint16_t>(entry, 0);  // and outside
    put(entry, narrow(record.offset));
    return entry + record.name + extra;
  }

  void write(std::string_view text) {
    file_.write(std::as_bytes(std::span(text)));
    position_ += text.size();
  }

  [[noreturn, gnu::cold, gnu::noinline]] static void fail_size(const std::string& name,
                                                               std::uint64_t expected, std::uint64_t given) {
    throw_argument_error("[ZipWriter] record '" + name + "' should have " + std::to_string(expected) +
                         " bytes, got " + std::to_string(given));
  }

  AtomicFile& file_;
  std::uint64_t zip64_from_;
  std::uint64_t position_ = 0;
  std::vector<Record> records_;
};

}  // namespace dformer::io
