#pragma once

#include <cstdint>

#include <dformer/backend/cpu/packing.hpp>

namespace dformer::cpu {

/// Neighbouring columns of a product's left-hand matrix x, in a block of its rows. The rows that count are
/// `lines` times `positions`; all others are zero, as where a tap of a window lies outside the image.
template <class T>
struct OuterProductColumns {
  const T* x;             ///< the first column in the first row that counts
  std::int64_t x_line;    ///< elements from one line to the next
  std::int64_t x_stride;  ///< and from one position to the next
  std::int64_t lines;
  std::int64_t positions;
  std::int64_t first_row;  ///< that counts, in the block
  std::int64_t line_rows;  ///< rows of the block from one line to the next
  std::int64_t column;     ///< of the first of them in the matrix
  std::int64_t width;

  /// What the next block will read of x, if it is known: rows of so many elements so far apart.
  const T* ahead;
  std::int64_t ahead_rows;
  std::int64_t ahead_width;
  std::int64_t ahead_stride;

  bool are_all(std::int64_t rows) const { return lines == 1 && positions == rows; }
};

/// What a block of rows adds to the gradient of a dense weight, sums[panel][i][lane] += x[row][i] *
/// dy[row][16
/// * panel + lane], in the layout of packing.hpp. A task is a panel; lanes behind the last channel become
/// zero.
template <class T>
struct OuterProductArgs {
  const OuterProductColumns<T>* columns;
  std::int64_t count;  ///< of the above
  const T* dy;         ///< [rows][channels]
  std::int64_t channels;
  std::int64_t rows;
  T* sums;
  std::int64_t panel_stride;
  bool add;      ///< to what `sums` has; overwritten otherwise
  bool goes_on;  ///< another block as long follows this one

  static constexpr std::int64_t max_rows = 128;
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
