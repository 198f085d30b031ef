#pragma once

#include <dformer/backend/cuda/device/launch.cuh>
#include <dformer/backend/cuda/kernels/columns.hpp>

namespace dformer::cuda::device {

/// Where a thread of block `block` is in a matrix that has tiles * slices blocks.
struct ColumnThread {
  std::int64_t slice;
  std::int64_t channel;  ///< of its first element
  int column;            ///< its pack of the tile
  int lane;
  bool has_column;  ///< the last of a block, and the last of a row, may have nothing to do

  __device__ __forceinline__ ColumnThread(const Columns& columns, std::int64_t block)
      : slice(block / columns.tiles),
        column(static_cast<int>(threadIdx.x) % columns.width),
        lane(static_cast<int>(threadIdx.x) / columns.width) {
    channel = (block % columns.tiles * columns.width + column) * columns.pack;
    has_column = lane < columns.lanes && channel < columns.channels;
  }
};

/// The grid of what reads and writes a matrix once. A thread takes row slice * lanes + lane, and every so
/// many after it as all blocks take together.
inline Grid column_grid(const Columns& columns) {
  constexpr std::int64_t rows_of_thread = 4, most_blocks = 8192;
  return {columns.slices(rows_of_thread, most_blocks) * columns.tiles, Columns::threads};
}

}  // namespace dformer::cuda::device
