#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace dformer {

/// By its first bytes, whatever its name ends with.
inline bool begins_like_jpeg(std::span<const std::uint8_t> bytes) {
  return bytes.size() >= 3 && bytes[0] == 0xff && bytes[1] == 0xd8 && bytes[2] == 0xff;
}

/// Whether bytes that begin like a JPEG file end before its image does. Decoders fill the missing rows with
/// grey and report success, so a download that broke off would go unnoticed.
inline bool is_truncated_jpeg(std::span<const std::uint8_t> bytes) {
  constexpr std::uint8_t marker = 0xff;
  constexpr std::uint8_t start_of_scan = 0xda;
  constexpr std::uint8_t end_of_image = 0xd9;
  if (bytes.size() < 4 || !begins_like_jpeg(bytes)) return false;
  // Segments are skipped by their length: a preview inside of one has an end of its own.
  std::size_t at = 2;
  while (at + 4 <= bytes.size() && bytes[at] == marker && bytes[at + 1] != start_of_scan) {
    at += bytes[at + 1] == marker ? 1 : 2u + bytes[at + 2] * 256u + bytes[at + 3];
  }
  for (; at + 2 <= bytes.size(); ++at) {
    if (bytes[at] == marker && bytes[at + 1] == end_of_image) return false;
  }
  return true;
}

}  // namespace dformer
