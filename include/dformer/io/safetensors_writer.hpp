#pragma once

#include <algorithm>
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
#include <dformer/io/json_string.hpp>
#include <dformer/io/limits.hpp>
#include <dformer/io/little_endian.hpp>
#include <dformer/io/safetensors_dtypes.hpp>
#include <dformer/io/tensor_name.hpp>
#include <dformer/io/tensor_source.hpp>

namespace dformer {

namespace io {

/// The length and the header of a file with these tensors, the data of which follow in the given order.
inline std::string safetensors_header(std::span<const NamedTensor> tensors,
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
    const auto& [name, tensor] = tensors[i];
    const DType dtype = tensor.dtype;
    const auto code =
        std::ranges::find(safetensors_dtypes, dtype, [](const auto& known) { return known.second; });
    (header += ',') += json_string(name);
    ((header += ":{\"dtype\":\"") += code->first) += "\",\"shape\":[";
    for (int axis = 0; axis < tensor.shape.rank(); ++axis) {
      if (axis > 0) header += ',';
      header += std::to_string(tensor.shape[axis]);
    }
    const std::uint64_t end = offset + tensor.size();
    header += "],\"data_offsets\":[" + std::to_string(offset) + "," + std::to_string(end) + "]}";
    offset = end;
  }
  header += '}';
  header.append((8 - header.size() % 8) % 8, ' ');  // so that the data are aligned
  if (header.size() > longest_safetensors_header) {
    throw_argument_error("[write_safetensors] names and metadata of " + std::to_string(header.size()) +
                         " bytes; the format has at most " + std::to_string(longest_safetensors_header));
  }
  std::string length;
  append_little_endian(length, std::uint64_t{header.size()});
  return length + header;
}

}  // namespace io

/// Writes a safetensors file. Wider elements come first, which aligns every tensor. The file appears complete
/// or not at all. Throws: ArgumentError for names that are repeated or cannot be, or contents of a wrong
/// size; FileError.
inline void write_safetensors(const std::filesystem::path& path, std::span<const NamedTensor> tensors,
                              const std::map<std::string, std::string>& metadata = {}) {
  std::unordered_set<std::string_view> names{"__metadata__"};
  for (const NamedTensor& entry : tensors) {
    if (const std::string fault = io::fault_of_name(entry.name); !fault.empty())
      throw_argument_error("[write_safetensors] " + fault);
    if (!names.insert(entry.name).second) {
      throw_argument_error("[write_safetensors] the name '" + entry.name + "' is given twice, or reserved");
    }
  }
  std::vector<std::size_t> order(tensors.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, std::greater{},
                           [&](std::size_t i) { return size_of(tensors[i].tensor.dtype); });

  AtomicFile file(path);
  const std::string header = io::safetensors_header(tensors, order, metadata);
  file.write(std::as_bytes(std::span(header)));
  for (const std::size_t i : order) {
    io::give_content(tensors[i], "write_safetensors",
                     [&](std::span<const std::byte> bytes) { file.write(bytes); });
  }
  file.commit();
}

}  // namespace dformer
