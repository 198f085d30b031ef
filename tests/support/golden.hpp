#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <dformer/core/shape.hpp>

/// Reading of reference outputs (tests/data/README.md) for the tests. On purpose not the library's own
/// reader, which is itself under test.
namespace dformer::testing {

struct Array {
  Shape shape;
  std::vector<float> values;
  float max_abs() const {
    float largest = 0;
    for (float value : values) largest = std::max(largest, std::abs(value));
    return largest;
  }
};

/// Swaps the two axes of each of `count` matrices of `rows` by `columns`.
inline std::vector<float> transposed(const std::vector<float>& values, std::int64_t count, std::int64_t rows,
                                     std::int64_t columns) {
  std::vector<float> result(values.size());
  for (std::int64_t i = 0; i < count; ++i)
    for (std::int64_t r = 0; r < rows; ++r)
      for (std::int64_t c = 0; c < columns; ++c)
        result[static_cast<std::size_t>((i * columns + c) * rows + r)] =
            values[static_cast<std::size_t>((i * rows + r) * columns + c)];
  return result;
}

/// [N, C, H, W] to [N, H, W, C]; arrays of another rank are returned as they are.
inline Array to_nhwc(const Array& array) {
  if (array.shape.rank() != 4) return array;
  const std::int64_t n = array.shape[0], c = array.shape[1], h = array.shape[2], w = array.shape[3];
  return {{n, h, w, c}, transposed(array.values, n, c, h * w)};
}

/// [N, H, W, C] to [N, C, H, W]; arrays of another rank are returned as they are.
inline Array to_nchw(const Array& array) {
  if (array.shape.rank() != 4) return array;
  const std::int64_t n = array.shape[0], h = array.shape[1], w = array.shape[2], c = array.shape[3];
  return {{n, c, h, w}, transposed(array.values, n, h * w, c)};
}

/// One fixture file, by its path below tests/data without the extension: `Golden golden("ops/linear")`.
class Golden {
 public:
  explicit Golden(const std::string& name) {
    const std::string path = std::string(DFORMER_TEST_DATA) + "/" + name + ".safetensors";
    std::ifstream file(path, std::ios::binary);
    bytes_.assign(std::istreambuf_iterator<char>(file), {});
    if (bytes_.size() < 8) throw std::runtime_error("cannot read " + path);
    std::uint64_t length = 0;
    std::memcpy(&length, bytes_.data(), 8);
    header_ =
        nlohmann::json::parse(bytes_.begin() + 8, bytes_.begin() + 8 + static_cast<std::ptrdiff_t>(length));
    data_ = 8 + length;
  }

  bool has(const std::string& key) const { return header_.contains(key); }
  bool has_text(const std::string& key) const { return header_.at("__metadata__").contains(key); }
  std::string text(const std::string& key) const { return header_.at("__metadata__").at(key); }
  /// A metadata entry that holds JSON, such as `attrs`.
  nlohmann::json json(const std::string& key) const { return nlohmann::json::parse(text(key)); }
  double number(const std::string& key) const { return std::stod(text(key)); }
  std::vector<std::string> names() const {
    std::vector<std::string> result;
    for (const auto& [name, value] : header_.items())
      if (name != "__metadata__") result.push_back(name);
    return result;
  }

  /// F32, F64, I64 and U8 tensors, as floats.
  Array array(const std::string& key) const {
    const auto& entry = header_.at(key);
    Array result;
    for (std::int64_t extent : entry.at("shape")) result.shape.push_back(extent);
    result.values.resize(static_cast<std::size_t>(result.shape.numel()));
    const char* from = bytes_.data() + data_ + entry.at("data_offsets")[0].get<std::size_t>();
    const std::string dtype = entry.at("dtype");
    for (std::size_t i = 0; i < result.values.size(); ++i) {
      if (dtype == "F32") {
        std::memcpy(&result.values[i], from + 4 * i, 4);
      } else if (dtype == "F64") {
        double value = 0;
        std::memcpy(&value, from + 8 * i, 8);
        result.values[i] = static_cast<float>(value);
      } else if (dtype == "I64") {
        std::int64_t value = 0;
        std::memcpy(&value, from + 8 * i, 8);
        result.values[i] = static_cast<float>(value);
      } else {
        result.values[i] = static_cast<unsigned char>(from[i]);
      }
    }
    return result;
  }
  Array nhwc(const std::string& key) const { return to_nhwc(array(key)); }

 private:
  std::vector<char> bytes_;
  nlohmann::json header_;
  std::size_t data_ = 0;
};

/// |a - b| <= tolerance for every element; reports the worst.
inline void expect_close(const Array& actual, const Array& expected, double tolerance,
                         const std::string& what) {
  ASSERT_EQ(to_string(actual.shape), to_string(expected.shape)) << what;
  double worst = 0;
  std::size_t where = 0;
  for (std::size_t i = 0; i < expected.values.size(); ++i) {
    const double error =
        std::abs(static_cast<double>(actual.values[i]) - static_cast<double>(expected.values[i]));
    if (!(error <= worst)) {
      worst = error;
      where = i;
      if (std::isnan(error)) break;
    }
  }
  EXPECT_LE(worst, tolerance) << what << ": element " << where << " is " << actual.values[where]
                              << ", expected " << expected.values[where];
}

/// The tolerance that the op fixtures state: 1e-5 * max(1, max|expected|).
inline double op_tolerance(const Array& expected) {
  return 1e-5 * std::max(1.0f, expected.max_abs());
}

}  // namespace dformer::testing
