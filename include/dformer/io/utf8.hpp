#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
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

/// How many bytes of UTF-8 at `at` are a character that a terminal would obey, U+0000 to U+001F or U+007F to
/// U+009F; 0 where they are another.
inline std::size_t control_character_at(std::string_view text, std::size_t at) {
  const auto byte = static_cast<unsigned char>(text[at]);
  if (byte < 0x20 || byte == 0x7f) return 1;
  return byte == 0xc2 && at + 1 < text.size() && static_cast<unsigned char>(text[at + 1]) < 0xa0 ? 2 : 0;
}

/// The text with '?' for the bytes of such characters, but for line feeds and tabs.
inline std::string without_control_characters(std::string text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n' || text[i] == '\t') continue;
    for (std::size_t more = control_character_at(text, i); more > 0; --more) text[i + more - 1] = '?';
  }
  return text;
}

/// Whether bytes are text that any terminal can be shown.
inline bool is_printable(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (control_character_at(text, i) > 0) return false;
  }
  return is_utf8(text);
}

}  // namespace dformer::io
