#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace dformer::testing {

/// Builds file contents by hand, little-endian.
struct ByteBuilder {
  std::string data;

  template <std::unsigned_integral Integer>
  ByteBuilder& put(Integer value) {
    for (std::size_t i = 0; i < sizeof(Integer); ++i)
      data += static_cast<char>((std::uint64_t{value} >> (8 * i)) & 0xffu);
    return *this;
  }
  ByteBuilder& text(std::string_view content) {
    data += content;
    return *this;
  }
  /// An opcode or another single byte.
  ByteBuilder& byte(unsigned value) { return put(static_cast<std::uint8_t>(value)); }
};

inline std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}

}  // namespace dformer::testing
