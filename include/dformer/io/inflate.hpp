#pragma once

#if defined(DFORMER_HAS_ZLIB)
#include <zlib.h>
#endif

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace dformer::io {

/// Whether deflated archive records can be read: the build found zlib and defined DFORMER_HAS_ZLIB.
#if defined(DFORMER_HAS_ZLIB)
inline constexpr bool has_inflate = true;

/// Unpacks raw deflate data. Empty if the data is damaged or
///  does not give exactly `size` bytes (`size` > 0).
inline std::vector<std::byte> inflate(std::span<const std::byte> packed, std::size_t size) {
  constexpr std::size_t limit = std::numeric_limits<uInt>::max();
  if (packed.size() > limit || size > limit) return {};
  std::vector<std::byte> unpacked(size);
  z_stream stream{};
  if (::inflateInit2(&stream, -MAX_WBITS) != Z_OK) return {};
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(packed.data()));  // zlib only reads it
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<Bytef*>(unpacked.data());
  stream.avail_out = static_cast<uInt>(size);
  const int status = ::inflate(&stream, Z_FINISH);
  ::inflateEnd(&stream);
  if (status != Z_STREAM_END || stream.avail_out != 0) return {};
  return unpacked;
}
#else
inline constexpr bool has_inflate = false;

inline std::vector<std::byte> inflate(std::span<const std::byte>, std::size_t) {
  return {};
}
#endif

}  // namespace dformer::io
