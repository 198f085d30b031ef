#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include <dformer/core/dtype.hpp>
#include <dformer/core/error.hpp>
#include <dformer/core/shape.hpp>

namespace dformer {

/// NumPy's codes of element types, without the mark for the order of bytes. NumPy has no bfloat16.
inline constexpr std::array<std::pair<std::string_view, DType>, 9> numpy_codes{{
    {"f4", DType::float32},
    {"f8", DType::float64},
    {"f2", DType::float16},
    {"i8", DType::int64},
    {"i4", DType::int32},
    {"i2", DType::int16},
    {"i1", DType::int8},
    {"u1", DType::uint8},
    {"b1", DType::boolean},
}};

/// Throws: ArgumentError for bfloat16.
inline std::string_view numpy_code(DType dtype) {
  for (const auto& [code, known] : numpy_codes) {
    if (known == dtype) return code;
  }
  throw_argument_error("[numpy_code] NumPy has no " + std::string(to_string(dtype)) +
                       "; write float32 or float16");
}

/// The start of a NumPy file (.npy, version 1.0) of row-major, little-endian elements, which follow it. Its
/// length is a multiple of 64. Throws: ArgumentError.
inline std::string npy_header(DType dtype, const Shape& shape) {
  std::string header = "{'descr': '";
  header += size_of(dtype) == 1 ? '|' : '<';
  (header += numpy_code(dtype)) += "', 'fortran_order': False, 'shape': (";
  for (const std::int64_t extent : shape) header += std::to_string(extent) + ", ";
  if (shape.rank() > 1) header.resize(header.size() - 2);  // NumPy writes (2, 3) and (2,)
  if (shape.rank() == 1) header.pop_back();
  header += "), }";
  constexpr std::size_t before_header = 10;
  header.resize((before_header + header.size() + 1 + 63) / 64 * 64 - before_header, ' ');
  header.back() = '\n';
  std::string start("\x93NUMPY\x01\x00", 8);
  start += static_cast<char>(header.size() & 0xffu);
  start += static_cast<char>(header.size() >> 8);
  return start + header;
}

}  // namespace dformer
