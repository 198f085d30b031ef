#pragma once

#include <cstdint>

#include <dformer/backend/cpu/kernels/nmf_args.hpp>

namespace dformer::cpu {

/// The gradient of the factorization with respect to its input, back through every step. Step s makes the
/// coefficients C(s + 1) of C(s) and bases B(s), and B(s + 1) of those; the last one, `steps`, makes the
/// coefficients only. `history` keeps of each row what the way back needs,
///
///     x B(0), C(1), x B(1), C(2), ... C(steps), x B(steps)
///
/// and each x B(s) gives way to its gradient. In the end the input's is one product: the history by the
/// matrices that each of its pieces was, or is, multiplied with. Kernels and their tasks:
///   nmf_history          (n, slice)  forward: x B(s), C(s + 1) and the sums that B(s + 1) is made of
///   nmf_gradient_rows    (n, slice)  back through the coefficients of step s; sums for the gradient of B(s)
///   nmf_gradient_bases   (n, tile)   back through the bases B(s + 1), nmf_tile_rows at a time
///   nmf_gradient_gram    (n, tile)   the gradient of the coefficients' gram matrix, before it is symmetrised
///   nmf_gradient_weights (n, panel)  the right-hand matrix of the last product, in panels (packing.hpp)
template <class T>
struct NmfGradientArgs : NmfArgs<T> {
  const T* dy;               // [n, rows, channels]
  T* history;                // [n, rows, history_width]
  T* dcoefficients;          // [n, rows, width], of C(s + 1), then of C(s)
  const T* next_bases;       // [n, channels, width], B(s + 1)
  const T* found;            // [n, channels + width, width], x^T C(s + 1) and C(s + 1)^T C(s + 1)
  T* dbases;                 // [n, channels, width], what B(s + 1), then B(s) has so far
  T* dnumerators;            // [n, channels, width], the gradient of x^T C(s + 1)
  T* ddenominators;          // [n, channels, width]
  T* dgram;                  // [n, width, width]
  T* weights;                // [n, panels of channels, history_width, panel_width]
  std::int64_t image_bases;  // elements from one step's bases and dnumerators to the next's
  std::int64_t history_width;
  std::int64_t step;
  std::int64_t steps;
};

}  // namespace dformer::cpu
