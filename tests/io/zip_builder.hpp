#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "byte_builder.hpp"
#include <dformer/io/crc32.hpp>

namespace dformer::testing {

/// Writes zip archives of stored records; every field of an entry can be made to lie.
class ZipBuilder {
 public:
  struct Entry {
    std::string name;
    std::string content;
    std::string local_name;  ///< in the record's own header
    std::uint32_t crc = 0;
    std::uint16_t flags = 0;
    std::uint16_t method = 0;
    std::uint64_t packed_size = 0;
    std::uint64_t size = 0;
    std::uint64_t header = 0;
    bool zip64 = false;  ///< sizes and offset in the zip64 field
  };

  Entry& add(const std::string& name, const std::string& content) {
    Entry entry{.name = name, .content = content, .local_name = name, .crc = io::crc32(bytes_of(content))};
    entry.packed_size = entry.size = content.size();
    entry.header = next_header_;
    next_header_ += 30 + name.size() + content.size();
    entries_.push_back(entry);
    return entries_.back();
  }

  /// With a zip64 end record if asked for.
  std::string finish(bool zip64_end = false, std::string_view comment = "") const {
    ByteBuilder zip;
    for (const Entry& entry : entries_) {
      zip.put(0x04034b50u).put(std::uint16_t{20}).put(entry.flags).put(entry.method).put(0u).put(entry.crc);
      zip.put(static_cast<std::uint32_t>(entry.content.size()))
          .put(static_cast<std::uint32_t>(entry.content.size()));
      zip.put(static_cast<std::uint16_t>(entry.local_name.size())).put(std::uint16_t{0});
      zip.text(entry.local_name).text(entry.content);
    }
    const std::uint64_t directory = zip.data.size();
    for (const Entry& entry : entries_) put_central(zip, entry);
    const std::uint64_t directory_size = zip.data.size() - directory;
    if (zip64_end) {
      const std::uint64_t end = zip.data.size();
      zip.put(0x06064b50u)
          .put(std::uint64_t{44})
          .put(std::uint16_t{45})
          .put(std::uint16_t{45})
          .put(0u)
          .put(0u);
      zip.put(std::uint64_t{entries_.size()})
          .put(std::uint64_t{entries_.size()})
          .put(directory_size)
          .put(directory);
      zip.put(0x07064b50u).put(0u).put(end).put(1u);
    }
    const auto count = static_cast<std::uint16_t>(zip64_end ? 0xffffu : entries_.size());
    zip.put(0x06054b50u).put(0u).put(count).put(count);
    zip.put(zip64_end ? 0xffffffffu : static_cast<std::uint32_t>(directory_size));
    zip.put(zip64_end ? 0xffffffffu : static_cast<std::uint32_t>(directory));
    zip.put(static_cast<std::uint16_t>(comment.size())).text(comment);
    return zip.data;
  }

 private:
  static void put_central(ByteBuilder& zip, const Entry& entry) {
    const auto field = [&](std::uint64_t value) {
      return entry.zip64 ? 0xffffffffu : static_cast<std::uint32_t>(value);
    };
    zip.put(0x02014b50u)
        .put(std::uint16_t{20})
        .put(std::uint16_t{20})
        .put(entry.flags)
        .put(entry.method)
        .put(0u);
    zip.put(entry.crc).put(field(entry.packed_size)).put(field(entry.size));
    zip.put(static_cast<std::uint16_t>(entry.name.size()))
        .put(static_cast<std::uint16_t>(entry.zip64 ? 28 : 0));
    zip.put(std::uint16_t{0}).put(std::uint16_t{0}).put(std::uint16_t{0}).put(0u).put(field(entry.header));
    zip.text(entry.name);
    if (entry.zip64)
      zip.put(std::uint16_t{1})
          .put(std::uint16_t{24})
          .put(entry.size)
          .put(entry.packed_size)
          .put(entry.header);
  }

  std::vector<Entry> entries_;
  std::uint64_t next_header_ = 0;
};

}  // namespace dformer::testing
