#pragma once

#include <bit>
#include <string_view>

#include <dformer/core/npy_header.hpp>
#include <dformer/io/tensor_record.hpp>

namespace dformer::io {

/// Sets a record's element type and order of bytes from NumPy's code, such as "f4" or ">i8"; `order` counts
/// where the code has none. False where it is a type without a counterpart.
inline bool set_numpy_type(TensorRecord& record, std::string_view code, char order = '<') {
  if (!code.empty() && std::string_view("<>=|").find(code[0]) != std::string_view::npos) {
    order = code[0];
    code.remove_prefix(1);
  }
  if (code == "?") code = "b1";
  for (const auto& [known, dtype] : numpy_codes) {
    if (known != code) continue;
    record.dtype = dtype;
    record.byte_order = order == '>' ? std::endian::big : std::endian::little;
    return true;
  }
  return false;
}

}  // namespace dformer::io
