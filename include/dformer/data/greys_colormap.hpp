#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace dformer {

/// The grey of each of the 256 levels of matplotlib's colormap `Greys_r`, with which the depth pictures of
/// the official data sets were drawn. It is not a straight line: linear between the nine greys of
/// ColorBrewer's scheme, and cut off (not rounded) to 8 bits.
inline constexpr std::array<std::uint8_t, 256> greys_r = [] {
  constexpr std::array<double, 9> nodes{0, 37, 82, 115, 150, 189, 217, 240, 255};
  constexpr double last_level = 255;
  constexpr double node_distance = last_level / 8;
  std::array<std::uint8_t, 256> table{};
  for (std::size_t level = 1; level < 255; ++level) {
    // The order of these operations is the one that makes every cut-off fall where matplotlib's does.
    const double position = last_level * (static_cast<double>(level) * (1.0 / last_level));
    std::size_t right = 1;
    while (static_cast<double>(right) * node_distance < position) ++right;
    const double from = static_cast<double>(right - 1) * node_distance;
    const double to = static_cast<double>(right) * node_distance;
    const double fraction = (position - from) / (to - from);
    const double low = nodes[right - 1] / 255.0;
    const double high = nodes[right] / 255.0;
    table[level] = static_cast<std::uint8_t>((fraction * (high - low) + low) * 255.0);
  }
  table[255] = 255;
  return table;
}();

}  // namespace dformer
