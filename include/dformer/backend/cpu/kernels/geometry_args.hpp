#pragma once

#include <cstdint>

#include <dformer/backend/cpu/kernels/attention_args.hpp>

namespace dformer::cpu {

/// Attention with the geometry prior among the tokens of a sequence: a row or a column of the token grid
/// (line_attention, positions along it) or all of it (grid_attention, positions in both directions). Sequence
/// s of an image starts at token s * sequence_step and goes on in steps of token_step. A task is a head of a
/// sequence and a group of its queries.
template <class T>
struct GeometryArgs {
  const T* q;
  const T* k;
  const T* v;
  const T* depth;
  const T* weight;
  const T* decay;
  T* y;
  T* scratch;
  std::int64_t tokens;     // of one image
  std::int64_t sequences;  // of one image
  std::int64_t sequence_step;
  std::int64_t token_step;
  std::int64_t length;
  std::int64_t width;   // of the token grid
  std::int64_t groups;  // of queries
  std::int64_t heads;
  std::int64_t head_dim;
};

/// Elements of scratch: those of the attention, and the positions and depths of the tokens.
template <class T>
constexpr std::int64_t geometry_scratch(std::int64_t length, std::int64_t head_dim) {
  return attention_scratch<T>(length, head_dim) + 3 * (length + attention_key_padding + attention_lanes<T>);
}

}  // namespace dformer::cpu
