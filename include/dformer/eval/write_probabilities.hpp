#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include <dformer/core/atomic_file.hpp>
#include <dformer/eval/probabilities.hpp>

namespace dformer {

/// Writes the probabilities of a prediction as a NumPy file, [H, W, num_classes] float32, row-major:
/// `numpy.load(file)[y, x, k]`. The file appears complete or not at all. Throws: FileError.
inline void write_probabilities(const std::filesystem::path& file, const Prediction& prediction) {
  static_assert(std::endian::native == std::endian::little, "the header says little-endian");
  // Version 1.0: magic, version, length of the header; the header ends in a newline at a multiple of 64.
  std::string header =
      "{'descr': '<f4', 'fortran_order': False, 'shape': (" + std::to_string(prediction.labels.rows) + ", " +
      std::to_string(prediction.labels.cols) + ", " + std::to_string(prediction.num_classes) + "), }";
  constexpr std::size_t before_header = 10;
  header.resize((before_header + header.size() + 1 + 63) / 64 * 64 - before_header, ' ');
  header.back() = '\n';
  std::string start("\x93NUMPY\x01\x00", 8);
  start += static_cast<char>(header.size() & 0xff);
  start += static_cast<char>(header.size() >> 8);
  start += header;

  const std::size_t value_bytes = prediction.probabilities.size() * sizeof(float);
  std::vector<std::uint8_t> bytes(start.size() + value_bytes);
  std::memcpy(bytes.data(), start.data(), start.size());
  std::memcpy(bytes.data() + start.size(), prediction.probabilities.data(), value_bytes);
  write_file_atomically(file, std::as_bytes(std::span(bytes)));
}

}  // namespace dformer
