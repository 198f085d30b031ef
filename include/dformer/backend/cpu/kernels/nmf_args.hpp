#pragma once

#include <cstdint>

namespace dformer::cpu {

/// Rows of x that stay in the cache from their products with the bases to those with the coefficients.
inline constexpr int nmf_block_rows = 96;

/// One step of the multiplicative updates, in kernels that follow one another. Ranks are padded with zeros to
/// `width` columns, which the updates keep zero. The rows of an image are cut into slices whose sums are
/// added in order, so the result does not depend on the number of threads.
///   nmf_rows      (n, slice)     coefficients, and this slice's sums of x^T coef and coef^T coef; in the
///   last
///                                pass the output instead
///   nmf_reduce    (n, row)       the sums of all slices, into the first one's place
///   nmf_bases     (n, tile)      bases from them, nmf_tile_rows at a time
///   nmf_gram      (n, tile)      bases^T bases
template <class T>
struct NmfArgs {
  const T* x;                 // [n, rows, channels]
  T* y;                       // [n, rows, channels]
  T* bases;                   // [n, channels, width]
  T* gram;                    // [n, width, width]
  const T* bases_transposed;  // [n, width, channels_padded]
  T* coefficients;            // [n, rows, width]
  T* sums;                    // [n, slices, channels + width, width]
  T* scratch;                 // [2, nmf_block_rows, width]
  std::int64_t rows;
  std::int64_t channels;
  std::int64_t channels_padded;
  std::int64_t rank;
  std::int64_t width;
  std::int64_t slices;
  T inv_t;
  bool first;
  bool last;
};

inline constexpr int nmf_tile_rows = 6;

}  // namespace dformer::cpu
