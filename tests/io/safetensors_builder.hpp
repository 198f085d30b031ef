#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "byte_builder.hpp"
#include <dformer/core/shape.hpp>

namespace dformer::testing {

/// Writes safetensors files without the library's writer.
class SafetensorsBuilder {
 public:
  void add(const std::string& name, const Shape& shape, const std::vector<float>& values) {
    ByteBuilder data;
    for (const float value : values) data.put(std::bit_cast<std::uint32_t>(value));
    entries_.push_back({name, "F32", shape, data.data});
  }
  void add_integer(const std::string& name, std::uint64_t value) {
    entries_.push_back({name, "I64", {}, ByteBuilder().put(value).data});
  }
  void remove(const std::string& name) {
    std::erase_if(entries_, [&](const Entry& entry) { return entry.name == name; });
  }
  void rename(const std::string& name, const std::string& to) {
    for (Entry& entry : entries_) {
      if (entry.name == name) entry.name = to;
    }
  }

  std::string finish() const {
    std::string header;
    std::string data;
    for (const Entry& entry : entries_) {
      std::string extents = to_string(entry.shape);
      extents = extents.substr(1, extents.size() - 2);
      header += (header.empty() ? "{\"" : ",\"") + entry.name + "\":{\"dtype\":\"" + entry.dtype +
                "\",\"shape\":[" + extents + "],\"data_offsets\":[" + std::to_string(data.size()) + "," +
                std::to_string(data.size() + entry.data.size()) + "]}";
      data += entry.data;
    }
    header += '}';
    return ByteBuilder().put(std::uint64_t{header.size()}).text(header).text(data).data;
  }

 private:
  struct Entry {
    std::string name;
    std::string dtype;
    Shape shape;
    std::string data;
  };

  std::vector<Entry> entries_;
};

}  // namespace dformer::testing
