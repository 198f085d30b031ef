#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace dformer::io {

namespace detail {

/// tables[k][b]: the CRC of byte b followed by k zero bytes. Bits of the polynomial are in reverse order.
template <std::uint32_t polynomial>
inline constexpr auto crc32_tables = [] {
  std::array<std::array<std::uint32_t, 256>, 16> tables{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1u) != 0 ? polynomial : 0u);
    tables[0][byte] = crc;
  }
  for (std::size_t k = 1; k < tables.size(); ++k) {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const std::uint32_t previous = tables[k - 1][byte];
      tables[k][byte] = (previous >> 8) ^ tables[0][previous & 0xffu];
    }
  }
  return tables;
}();

/// Sixteen bytes a step.
template <std::uint32_t polynomial>
std::uint32_t crc32_of(std::span<const std::byte> bytes, std::uint32_t crc) {
  const auto& tables = crc32_tables<polynomial>;
  const std::byte* data = bytes.data();
  std::size_t size = bytes.size();
  crc = ~crc;
  if constexpr (std::endian::native == std::endian::little) {
    for (; size >= 16; data += 16, size -= 16) {
      std::array<std::uint32_t, 4> words;
      std::memcpy(words.data(), data, 16);
      words[0] ^= crc;
      crc = 0;
      for (std::size_t i = 0; i < 4; ++i) {
        const std::uint32_t word = words[i];
        crc ^= tables[15 - 4 * i][word & 0xffu] ^ tables[14 - 4 * i][(word >> 8) & 0xffu] ^
               tables[13 - 4 * i][(word >> 16) & 0xffu] ^ tables[12 - 4 * i][word >> 24];
      }
    }
  }
  for (; size > 0; ++data, --size)
    crc = (crc >> 8) ^ tables[0][(crc ^ static_cast<std::uint32_t>(*data)) & 0xffu];
  return ~crc;
}

}  // namespace detail

/// CRC-32 as zip archives use it. `crc` continues an earlier call.
inline std::uint32_t crc32(std::span<const std::byte> bytes, std::uint32_t crc = 0) {
  return detail::crc32_of<0xedb88320u>(bytes, crc);
}

/// CRC-32C (Castagnoli), as TensorBoard's event files use it.
inline std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t crc = 0) {
  return detail::crc32_of<0x82f63b78u>(bytes, crc);
}

}  // namespace dformer::io
