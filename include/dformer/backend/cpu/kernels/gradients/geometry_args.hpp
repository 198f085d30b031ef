#pragma once

#include <algorithm>
#include <cstdint>

#include <dformer/backend/cpu/kernels/geometry_args.hpp>

namespace dformer::cpu {

/// Queries whose scores are held at a time.
inline constexpr int geometry_gradient_queries = 64;

/// The gradients of geometry attention along sequences (geometry_args.hpp), with `dy` that of the result. A
/// task is a head of a sequence: it gives dq, dk and dv of the sequence, and what the two weights of the
/// prior have of it, before the head's decay.
template <class T>
struct GeometryGradientArgs : GeometryArgs<T> {
  const T* dy;
  T* dq;
  T* dk;
  T* dv;
  double* weight_sums;  // [task, 2]
  std::int64_t padded;  // head_dim in whole vectors, of the widest kind
  bool add;             // to what dq and dk hold
};

/// Elements of scratch: keys, values and their gradients; the queries' rows, gradients and both as lanes;
/// scores and responses; depths and positions.
constexpr std::int64_t geometry_gradient_scratch(std::int64_t length, std::int64_t padded) {
  constexpr std::int64_t queries = geometry_gradient_queries;
  return 4 * length * padded + 5 * queries * padded + 2 * length * queries + 3 * (length + queries);
}

}  // namespace dformer::cpu
