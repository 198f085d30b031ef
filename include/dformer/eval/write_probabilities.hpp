#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include <dformer/core/atomic_file.hpp>
#include <dformer/core/npy_header.hpp>
#include <dformer/eval/probabilities.hpp>

namespace dformer {

/// Writes the probabilities of a prediction as a NumPy file, [H, W, num_classes] float32, row-major:
/// `numpy.load(file)[y, x, k]`. The file appears complete or not at all. Throws: FileError.
inline void write_probabilities(const std::filesystem::path& file, const Prediction& prediction) {
  static_assert(std::endian::native == std::endian::little, "the header says little-endian");
  const std::string start =
      npy_header(DType::float32, {prediction.labels.rows, prediction.labels.cols, prediction.num_classes});
  const std::size_t value_bytes = prediction.probabilities.size() * sizeof(float);
  std::vector<std::uint8_t> bytes(start.size() + value_bytes);
  std::memcpy(bytes.data(), start.data(), start.size());
  std::memcpy(bytes.data() + start.size(), prediction.probabilities.data(), value_bytes);
  write_file_atomically(file, std::as_bytes(std::span(bytes)));
}

}  // namespace dformer
