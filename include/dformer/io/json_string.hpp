#pragma once

#include <string>
#include <string_view>

namespace dformer::io {

/// `text` between quotes, escaped. Bytes above 0x7f pass as they are: names are UTF-8.
inline std::string json_string(std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string quoted = "\"";
  for (const char symbol : text) {
    const auto code = static_cast<unsigned char>(symbol);
    if (symbol == '"' || symbol == '\\') {
      (quoted += '\\') += symbol;
    } else if (code < 0x20) {
      quoted += "\\u00";
      (quoted += digits[code >> 4]) += digits[code & 15u];
    } else {
      quoted += symbol;
    }
  }
  return quoted += '"';
}

}  // namespace dformer::io
