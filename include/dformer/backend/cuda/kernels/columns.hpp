#pragma once

#include <cstdint>

namespace dformer::cuda {

/// How blocks of threads lie over a matrix [rows, channels]. A thread keeps to one pack of neighbouring
/// channels and takes rows that are `lanes` apart, so that what it needs of these channels stays in
/// registers; neighbouring threads read neighbouring packs. Rows wider than a block's tile are cut into
/// several. All of it follows from the shape alone: results are the same on every GPU.
struct Columns {
  static constexpr int threads = 256;
  static constexpr int most_packs = 64;  ///< of a tile: 1 KiB of a row, and at least 4 rows at a time

  std::int64_t rows;
  std::int64_t channels;
  int pack;   ///< elements that a thread moves at once
  int width;  ///< packs of a tile
  int lanes;  ///< rows that a block reads at a time
  std::int64_t tiles;

  /// Of elements T: packs of 16 bytes where they divide the channels, single elements otherwise.
  template <class T>
  static Columns of(std::int64_t rows, std::int64_t channels) {
    constexpr int widest = 16 / static_cast<int>(sizeof(T));
    const int pack = channels % widest == 0 ? widest : 1;
    const std::int64_t packs = channels / pack;
    const std::int64_t tiles = (packs + most_packs - 1) / most_packs;
    const int width = tiles == 0 ? 1 : static_cast<int>((packs + tiles - 1) / tiles);
    return {rows, channels, pack, width, threads / width, tiles};
  }

  /// Into how many slices the rows are cut that blocks take: `rows_of_thread` for each thread, but at most
  /// `most_blocks` in all.
  std::int64_t slices(std::int64_t rows_of_thread, std::int64_t most_blocks) const {
    const std::int64_t wanted = (rows + rows_of_thread * lanes - 1) / (rows_of_thread * lanes);
    const std::int64_t most = tiles == 0 || most_blocks < tiles ? 1 : most_blocks / tiles;
    return wanted < most ? wanted : most;
  }
};

}  // namespace dformer::cuda
