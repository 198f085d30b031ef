#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace dformer {

struct Rgb {
  std::uint8_t r = 0;
  std::uint8_t g = 0;
  std::uint8_t b = 0;
  friend constexpr bool operator==(const Rgb&, const Rgb&) = default;
};

/// A colour for each value of a byte.
using Palette = std::array<Rgb, 256>;

/// The palette of Pascal VOC, with which the official programs draw: the bits of the index are dealt out to
/// red, green and blue in turn, and each channel is filled from its highest bit down. Class k has colour k,
/// so class 0 is black.
inline constexpr Palette voc_palette = [] {
  Palette palette{};
  for (std::size_t index = 0; index < palette.size(); ++index) {
    std::size_t rest = index;
    for (unsigned bit = 7; rest != 0; --bit, rest >>= 3) {
      palette[index].r = static_cast<std::uint8_t>(palette[index].r | ((rest & 1u) << bit));
      palette[index].g = static_cast<std::uint8_t>(palette[index].g | ((rest >> 1 & 1u) << bit));
      palette[index].b = static_cast<std::uint8_t>(palette[index].b | ((rest >> 2 & 1u) << bit));
    }
  }
  return palette;
}();

}  // namespace dformer
