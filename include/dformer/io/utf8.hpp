#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace dformer::io {

/// Whether bytes are UTF-8 as it is defined: no longer form than needed, no surrogates, at most U+10FFFF.
inline bool is_utf8(std::string_view text) {
  const auto byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  for (std::size_t i = 0; i < text.size();) {
    const std::uint32_t first = byte(i++);
    if (first < 0x80) continue;
    const int more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1;
    if (first < 0xc2 || first > 0xf4 || text.size() - i < static_cast<std::size_t>(more)) return false;
    std::uint32_t code = first & (0x3fu >> more);
    for (int k = 0; k < more; ++k, ++i) {
      if ((byte(i) & 0xc0u) != 0x80) return false;
      code = (code << 6) | (byte(i) & 0x3fu);
    }
    constexpr std::uint32_t least[] = {0, 0x80, 0x800, 0x10000};
    if (code < least[more] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return false;
  }
  return true;
}

/// Whether UTF-8 has characters that a terminal would obey, U+0000 to U+001F and U+007F to U+009F.
inline bool has_control_characters(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const auto next = i + 1 < text.size() ? static_cast<unsigned char>(text[i + 1]) : 0xffu;
    if (byte < 0x20 || byte == 0x7f || (byte == 0xc2 && next < 0xa0)) return true;
  }
  return false;
}

/// Whether bytes are text that any terminal can be shown.
inline bool is_printable(std::string_view text) {
  return is_utf8(text) && !has_control_characters(text);
}

}  // namespace dformer::io
