#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <numeric>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include <dformer/core/atomic_file.hpp>
#include <dformer/core/dtype.hpp>
#include <dformer/core/error.hpp>
#include <dformer/core/shape.hpp>
#include <dformer/io/json_string.hpp>
#include <dformer/io/safetensors_dtypes.hpp>

namespace dformer {

/// A tensor that is to be written.
struct SafetensorsEntry {
  std::string name;
  DType dtype = DType::float32;
  Shape shape;
};

namespace io {

/// The length and the header of a file with these tensors, the data of which follow in the given order.
inline std::string safetensors_header(std::span<const SafetensorsEntry> entries,
                                      std::span<const std::size_t> order,
                                      const std::map<std::string, std::string>& metadata) {
  std::string header = "{\"__metadata__\":{";
  const char* separator = "";
  for (const auto& [key, value] : metadata) {
    (header += separator) += json_string(key);
    (header += ':') += json_string(value);
    separator = ",";
  }
  header += '}';
  std::uint64_t offset = 0;
  for (const std::size_t i : order) {
    const SafetensorsEntry& entry = entries[i];
    const auto code =
        std::ranges::find(safetensors_dtypes, entry.dtype, [](const auto& known) { return known.second; });
    (header += ',') += json_string(entry.name);
    ((header += ":{\"dtype\":\"") += code->first) += "\",\"shape\":[";
    for (int axis = 0; axis < entry.shape.rank(); ++axis) {
      if (axis > 0) header += ',';
      header += std::to_string(entry.shape[axis]);
    }
    const std::uint64_t end = offset + static_cast<std::uint64_t>(entry.shape.numel()) * size_of(entry.dtype);
    header += "],\"data_offsets\":[" + std::to_string(offset) + "," + std::to_string(end) + "]}";
    offset = end;
  }
  header += '}';
  header.append((8 - header.size() % 8) % 8, ' ');  // so that the data are aligned
  std::string length;
  for (unsigned i = 0; i < 8; ++i)
    length += static_cast<char>((std::uint64_t{header.size()} >> (8 * i)) & 0xffu);
  return length + header;
}

}  // namespace io

/// Writes a safetensors file. `content(i)` gives the bytes of entry i, row-major and little-endian; it is
/// called once an entry, and what it returns is written before the next call, so that one buffer serves for
/// all. Wider elements come first, which aligns every tensor. The file appears complete or not at all.
/// Throws: ArgumentError for repeated names or contents of a wrong size; FileError.
inline void write_safetensors(const std::filesystem::path& path, std::span<const SafetensorsEntry> entries,
                              const std::map<std::string, std::string>& metadata,
                              const std::function<std::span<const std::byte>(std::size_t)>& content) {
  static_assert(std::endian::native == std::endian::little, "values are written as they lie in memory");
  std::unordered_set<std::string_view> names{"__metadata__"};
  for (const SafetensorsEntry& entry : entries) {
    if (!names.insert(entry.name).second) {
      throw_argument_error("[write_safetensors] the name '" + entry.name + "' is given twice, or reserved");
    }
  }
  std::vector<std::size_t> order(entries.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, std::greater{}, [&](std::size_t i) { return size_of(entries[i].dtype); });

  AtomicFile file(path);
  const std::string header = io::safetensors_header(entries, order, metadata);
  file.write(std::as_bytes(std::span(header)));
  for (const std::size_t i : order) {
    const auto bytes = content(i);
    const auto expected = static_cast<std::uint64_t>(entries[i].shape.numel()) * size_of(entries[i].dtype);
    if (bytes.size() != expected) {
      throw_argument_error("[write_safetensors] tensor '" + entries[i].name + "' of shape " +
                           to_string(entries[i].shape) + " needs " + std::to_string(expected) +
                           " bytes, got " + std::to_string(bytes.size()));
    }
    file.write(bytes);
  }
  file.commit();
}

}  // namespace dformer
