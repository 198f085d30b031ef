#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>

namespace dformer::io {

/// Adds the bytes of an integer, the lowest first.
template <std::unsigned_integral Integer>
void append_little_endian(std::string& bytes, Integer value) {
  for (std::size_t i = 0; i < sizeof(Integer); ++i)
    bytes += static_cast<char>((std::uint64_t{value} >> (8 * i)) & 0xffu);
}

}  // namespace dformer::io
