#pragma once

#include <cstdint>

#include <dformer/backend/cpu/packing.hpp>

namespace dformer::cpu {

/// What some rows add to the gradient of a dense weight: sums[panel][i][lane] += x[row][i] * dy[row][16 *
/// panel + lane], the layout of packing.hpp. A task is a panel; lanes behind the last channel become zero.
template <class T>
struct OuterProductArgs {
  const T* x;  ///< [rows][x_stride], of which `inputs` columns count
  std::int64_t x_stride;
  std::int64_t inputs;
  const T* dy;  ///< [rows][channels]
  std::int64_t channels;
  std::int64_t rows;
  T* sums;  ///< of panel 0, at the first of the columns
  std::int64_t panel_stride;
  bool add;                 ///< to what `sums` has; overwritten otherwise
  std::int64_t block_rows;  ///< that are summed in registers, at most max_block_rows

  static constexpr std::int64_t max_block_rows = 256;
};

/// y[i] = parts[0][i] + parts[1][i] + ..., in this order. A task is a chunk of elements.
template <class T>
struct SumPartsArgs {
  const T* parts;  ///< [count][elements]
  std::int64_t count;
  std::int64_t elements;
  T* y;

  static constexpr std::int64_t chunk = 4096;
  std::int64_t tasks() const { return (elements + chunk - 1) / chunk; }
};

}  // namespace dformer::cpu
