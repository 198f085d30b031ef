#pragma once

#include <cstdint>

#include <dformer/backend/cpu/kernels/geometry_args.hpp>

namespace dformer::cpu {

/// The sequences of tokens that geometry attention runs along: how many an image has, the steps from one to
/// the next and within one, and their length.
struct GeometrySequences {
  std::int64_t count;
  std::int64_t step;
  std::int64_t token_step;
  std::int64_t length;

  static GeometrySequences rows(std::int64_t height, std::int64_t width) { return {height, width, 1, width}; }
  static GeometrySequences columns(std::int64_t height, std::int64_t width) {
    return {width, 1, width, height};
  }
  static GeometrySequences grid(std::int64_t height, std::int64_t width) { return {1, 0, 1, height * width}; }

  /// Fills in what a kernel must know of them; `queries` of a sequence are a task.
  template <class T>
  void describe(std::int64_t queries, GeometryArgs<T>& args) const {
    args.sequences = count;
    args.sequence_step = step;
    args.token_step = token_step;
    args.length = length;
    args.groups = (length + queries - 1) / queries;
  }
};

}  // namespace dformer::cpu
