#pragma once

#include <cstdint>

namespace dformer::cuda {

/// How many lanes of a warp share a row whose elements they hold in registers, in packs of 16 bytes: narrow
/// rows go several to a warp.
struct RowLanes {
  static constexpr int threads = 128;   ///< of a block
  static constexpr int most_packs = 5;  ///< of a lane: 640 channels in float, 1280 in half

  int lanes;  ///< a power of two
  int packs;  ///< of each lane; 0 where rows do not fit, which then have a warp each

  template <class T>
  static RowLanes of(std::int64_t channels) {
    constexpr int width = 16 / static_cast<int>(sizeof(T));
    constexpr int warp = 32;
    const std::int64_t packs = channels / width;
    if (channels % width != 0 || packs > most_packs * warp) return {warp, 0};
    int lanes = warp;
    while (lanes > 1 && lanes / 2 >= packs) lanes /= 2;
    return {lanes, static_cast<int>((packs + lanes - 1) / lanes)};
  }
  /// The same for kernels that need few registers beside the row. Where rows are so many that they fill a
  /// large GPU several times, a lane has more packs, and fewer lanes have none: of 16 lanes for 12 packs four
  /// would wait, of 4 none does. With few rows it is what a lane does one after the other that counts.
  template <class T>
  static RowLanes of_many(std::int64_t rows, std::int64_t channels) {
    RowLanes row = of<T>(channels);
    constexpr int least_lanes = 4;
    constexpr std::int64_t threads_wanted = std::int64_t{1} << 18;
    if (rows * row.lanes < threads_wanted) return row;
    const int packs = static_cast<int>(channels) / (16 / static_cast<int>(sizeof(T)));
    while (row.packs > 0 && row.lanes > least_lanes && packs <= most_packs * (row.lanes / 2)) {
      row.lanes /= 2;
      row.packs = (packs + row.lanes - 1) / row.lanes;
    }
    return row;
  }
  /// Rows that a block holds at a time.
  int rows() const { return threads / lanes; }
};

}  // namespace dformer::cuda
