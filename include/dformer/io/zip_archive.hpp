#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <dformer/io/byte_reader.hpp>
#include <dformer/io/checkpoint_error.hpp>
#include <dformer/io/crc32.hpp>
#include <dformer/io/inflate.hpp>
#include <dformer/io/kept_bytes.hpp>

namespace dformer::io {

/// One file inside a zip archive.
struct ZipRecord {
  std::string_view name;
  std::uint64_t header = 0;  ///< offset of its own header in the file
  std::uint64_t offset = 0;  ///< offset of the packed data behind that header
  std::uint64_t packed_size = 0;
  std::uint64_t size = 0;
  std::uint32_t crc = 0;
  bool deflated = false;
};

/// Whether a record may have this name: a relative one that stays inside the archive when it is unpacked.
inline bool is_plain_record_name(std::string_view name) {
  const bool climbs =
      name == ".." || name.starts_with("../") || name.ends_with("/..") || name.find("/../") != name.npos;
  return !name.empty() && !name.starts_with('/') && !climbs &&
         name.find_first_of(std::string_view("\\\0", 2)) == name.npos;
}

/// The table of contents of a zip archive (also zip64) that lies in memory. Every offset is checked before
/// use: records lie inside the file, do not overlap each other, and carry plain relative names.
class ZipArchive {
 public:
  /// Throws: CheckpointError(corrupt_container), or (unsupported_compression) for methods other than store
  /// and deflate.
  ZipArchive(std::span<const std::byte> file, std::string_view path) : file_(file), path_(path) {
    const Directory directory = find_directory();
    read_directory(directory);
    refuse_overlaps();
    std::ranges::sort(records_, {}, &ZipRecord::name);
    for (std::size_t i = 1; i < records_.size(); ++i) {
      if (records_[i].name == records_[i - 1].name)
        fail(records_[i].offset, "two records have the name '" + std::string(records_[i].name) + "'");
    }
  }

  /// Records by name.
  std::span<const ZipRecord> records() const { return records_; }

  /// nullptr if there is no such record.
  const ZipRecord* find(std::string_view name) const {
    const auto found = std::ranges::lower_bound(records_, name, {}, &ZipRecord::name);
    return found != records_.end() && found->name == name ? &*found : nullptr;
  }

  /// The content of a record: a view of the file if it is stored, otherwise unpacked into `kept`.
  /// Throws: CheckpointError(crc_mismatch), (unsupported_compression) or (corrupt_container).
  std::span<const std::byte> read(const ZipRecord& record, KeptBytes& kept) const {
    const auto packed =
        file_.subspan(static_cast<std::size_t>(record.offset), static_cast<std::size_t>(record.packed_size));
    const auto content = record.deflated ? unpack(record, packed, kept) : packed;
    if (crc32(content) != record.crc) {
      throw_checkpoint_error(CheckpointError::Kind::crc_mismatch, path_, record.offset,
                             "the bytes of record '" + std::string(record.name) +
                                 "' do not match their CRC-32: the file is damaged, fetch it again");
    }
    return content;
  }

 private:
  struct Directory {
    std::uint64_t offset = 0;
    std::uint64_t size = 0;
    std::uint64_t count = 0;
  };

  static constexpr std::uint32_t end_signature = 0x06054b50;
  static constexpr std::uint32_t zip64_end_signature = 0x06064b50;
  static constexpr std::uint32_t zip64_locator_signature = 0x07064b50;
  static constexpr std::uint32_t central_signature = 0x02014b50;
  static constexpr std::uint32_t local_signature = 0x04034b50;
  static constexpr std::size_t end_size = 22;
  static constexpr std::size_t zip64_locator_size = 20;
  static constexpr std::uint32_t in_zip64 =
      0xffffffffu;  ///< "see the zip64 field", in a 32-bit size or offset

  [[noreturn]] void fail(std::uint64_t offset, const std::string& what) const {
    throw_checkpoint_error(CheckpointError::Kind::corrupt_container, path_, offset,
                           "damaged zip archive: " + what);
  }

  ByteReader reader_at(std::uint64_t offset) const {
    ByteReader reader(file_, path_);
    reader.seek(offset);
    return reader;
  }

  /// The end record is the last thing in the file, behind it only a comment of at most 65535 bytes.
  std::uint64_t find_end() const {
    if (file_.size() >= end_size) {
      const std::uint64_t last = file_.size() - end_size;
      const std::uint64_t first = last > 0xffffu ? last - 0xffffu : 0;
      for (std::uint64_t offset = last + 1; offset-- > first;) {
        ByteReader reader = reader_at(offset);
        if (reader.read<std::uint32_t>() != end_signature) continue;
        reader.seek(offset + 20);
        if (reader.read<std::uint16_t>() == last - offset) return offset;
      }
    }
    fail(file_.size(),
         "its table of contents, the last part of the file, is missing; was the download cut off?");
  }

  Directory find_directory() const {
    const std::uint64_t end = find_end();
    ByteReader reader = reader_at(end + 4);
    Directory directory;
    const bool one_disk = reader.read<std::uint16_t>() == 0 && reader.read<std::uint16_t>() == 0;
    reader.read<std::uint16_t>();
    directory.count = reader.read<std::uint16_t>();
    directory.size = reader.read<std::uint32_t>();
    directory.offset = reader.read<std::uint32_t>();
    if (!one_disk) fail(end, "archives of several volumes are not supported");
    std::uint64_t directory_limit = end;
    if (end >= zip64_locator_size) {
      ByteReader locator = reader_at(end - zip64_locator_size);
      if (locator.read<std::uint32_t>() == zip64_locator_signature) {
        locator.read<std::uint32_t>();
        directory_limit = locator.read<std::uint64_t>();
        directory = read_zip64_end(directory_limit);
      }
    }
    if (directory.offset > directory_limit || directory.size != directory_limit - directory.offset) {
      fail(end, "its table of contents does not lie where the end record says");
    }
    constexpr std::uint64_t smallest_entry = 46;
    if (directory.count > directory.size / smallest_entry)
      fail(end, "it claims more records than fit into its table of contents");
    return directory;
  }

  Directory read_zip64_end(std::uint64_t offset) const {
    ByteReader reader = reader_at(offset);
    if (reader.read<std::uint32_t>() != zip64_end_signature) fail(offset, "the zip64 end record is missing");
    reader.seek(offset + 32);  // sizes, versions, disks, and the count on this disk
    Directory directory;
    directory.count = reader.read<std::uint64_t>();
    directory.size = reader.read<std::uint64_t>();
    directory.offset = reader.read<std::uint64_t>();
    return directory;
  }

  void read_directory(const Directory& directory) {
    ByteReader reader(
        file_.subspan(static_cast<std::size_t>(directory.offset), static_cast<std::size_t>(directory.size)),
        path_, directory.offset);
    records_.reserve(static_cast<std::size_t>(directory.count));
    for (std::uint64_t i = 0; i < directory.count; ++i) {
      const std::uint64_t at = directory.offset + reader.position();
      if (reader.read<std::uint32_t>() != central_signature)
        fail(at, "an entry of its table of contents is missing");
      reader.take(4);  // versions
      const auto flags = reader.read<std::uint16_t>();
      const auto method = reader.read<std::uint16_t>();
      reader.take(4);  // time
      ZipRecord record;
      record.crc = reader.read<std::uint32_t>();
      record.packed_size = reader.read<std::uint32_t>();
      record.size = reader.read<std::uint32_t>();
      const auto name_size = reader.read<std::uint16_t>();
      const auto extra_size = reader.read<std::uint16_t>();
      const auto comment_size = reader.read<std::uint16_t>();
      reader.take(8);  // disk and attributes
      record.header = reader.read<std::uint32_t>();
      record.name = as_text(reader.take(name_size));
      read_zip64_field(reader.take(extra_size), at, record);
      reader.take(comment_size);
      check_entry(record, flags, method, at);
      record.deflated = method == 8;
      if (!record.name.ends_with('/')) locate_data(record, method, directory.offset);
    }
    if (reader.remaining() != 0)
      fail(directory.offset + reader.position(), "bytes follow the last entry of its table of contents");
  }

  /// The zip64 field replaces, in this order, those of size, packed size and offset that did not fit 32 bits.
  void read_zip64_field(std::span<const std::byte> extra, std::uint64_t at, ZipRecord& record) const {
    if (record.size != in_zip64 && record.packed_size != in_zip64 && record.header != in_zip64) return;
    ByteReader fields(extra, path_, at);
    while (fields.remaining() >= 4) {
      const auto id = fields.read<std::uint16_t>();
      const auto size = fields.read<std::uint16_t>();
      const auto content = fields.take(size);
      if (id != 1) continue;
      ByteReader values(content, path_, at);
      for (std::uint64_t* value : {&record.size, &record.packed_size, &record.header}) {
        if (*value == in_zip64) *value = values.read<std::uint64_t>();
      }
      return;
    }
    fail(at, "the zip64 sizes of record '" + std::string(record.name) + "' are missing");
  }

  void check_entry(const ZipRecord& record, unsigned flags, unsigned method, std::uint64_t at) const {
    const std::string quoted = "record '" + std::string(record.name) + "' ";
    if (!is_plain_record_name(record.name)) fail(at, quoted + "has a name that leads out of the archive");
    if ((flags & 1u) != 0) fail(at, quoted + "is encrypted");
    if (method != 0 && method != 8) {
      throw_checkpoint_error(
          CheckpointError::Kind::unsupported_compression, path_, at,
          quoted + "is packed with method " + std::to_string(method) + "; store and deflate are supported");
    }
    if (method == 0 && record.packed_size != record.size)
      fail(at, quoted + "is stored, but its two sizes differ");
  }

  /// Finds the data behind the record's local header, which must repeat the name of the table of contents.
  void locate_data(ZipRecord& record, unsigned method, std::uint64_t limit) {
    ByteReader reader = reader_at(record.header);
    const bool header = reader.read<std::uint32_t>() == local_signature;
    reader.take(4);
    const bool same_method = reader.read<std::uint16_t>() == method;
    reader.take(16);  // time, CRC and sizes; the table of contents is what counts
    const auto name_size = reader.read<std::uint16_t>();
    const auto extra_size = reader.read<std::uint16_t>();
    const bool same_name = as_text(reader.take(name_size)) == record.name;
    reader.take(extra_size);
    if (!header || !same_method || !same_name)
      fail(record.header, "no matching header for record '" + std::string(record.name) + "'");
    record.offset = reader.position();
    if (record.offset > limit || record.packed_size > limit - record.offset) {
      fail(record.header, "record '" + std::string(record.name) + "' reaches into the table of contents");
    }
    records_.push_back(record);
  }

  /// Overlapping records are how a small file unpacks into petabytes.
  void refuse_overlaps() {
    std::ranges::sort(records_, {}, &ZipRecord::header);
    for (std::size_t i = 1; i < records_.size(); ++i) {
      if (records_[i - 1].offset + records_[i - 1].packed_size > records_[i].header) {
        fail(records_[i].offset, "records '" + std::string(records_[i - 1].name) + "' and '" +
                                     std::string(records_[i].name) + "' overlap");
      }
    }
  }

  std::span<const std::byte> unpack(const ZipRecord& record, std::span<const std::byte> packed,
                                    KeptBytes& kept) const {
    if (!has_inflate) {
      throw_checkpoint_error(CheckpointError::Kind::unsupported_compression, path_, record.offset,
                             "record '" + std::string(record.name) +
                                 "' is deflated and this program was built without zlib: build it with zlib "
                                 "(DFORMER_HAS_ZLIB), or save the file again with torch.save, which stores");
    }
    constexpr std::uint64_t best_ratio =
        1032;  // of deflate; a record that claims more would only cost memory
    if (record.size == 0) return {};
    if (const auto* before = kept.find(packed.data())) return *before;
    std::vector<std::byte> unpacked;
    if (record.size / best_ratio <= packed.size()) {
      unpacked = inflate(packed, static_cast<std::size_t>(record.size));
    }
    if (unpacked.empty()) fail(record.offset, "record '" + std::string(record.name) + "' does not unpack");
    return kept.keep(packed.data(), std::move(unpacked));
  }

  std::span<const std::byte> file_;
  std::string_view path_;
  std::vector<ZipRecord> records_;
};

}  // namespace dformer::io
