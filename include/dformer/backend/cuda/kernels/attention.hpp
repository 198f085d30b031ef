#pragma once

#include <cstdint>

#include <dformer/backend/cuda/stream.hpp>
#include <dformer/core/half.hpp>

// Launchers of the kernels in device/attention.cuh, device/geometry_attention.cuh and device/rotary.cuh, for
// T float, half and bfloat16.
namespace dformer::cuda {

/// Where the tokens of a sequence are, in elements of a tensor; a head's channels of a token lie side by
/// side.
struct TokenRows {
  std::int64_t image_step;
  std::int64_t sequence_step;  ///< from the first token of a sequence to that of the next
  std::int64_t token_step;
  std::int64_t length;  ///< tokens
};

/// The prior of geometry attention (geometry_prior.hpp): where the tokens are on the grid, and how deep.
template <class T>
struct TokenPrior {
  const T* depth;  ///< [images, tokens]
  const float* weight;
  const float* decay;
  std::int64_t tokens;  ///< of one image
  std::int64_t width;   ///< of the token grid
  std::int64_t sequence_step;
  std::int64_t token_step;
};

/// softmax(scale * q k^T) v of every head of every sequence, or softmax(q k^T + prior) v.
template <class T>
struct AttentionProblem {
  const T* q;
  const T* k;
  const T* v;
  TokenRows queries;           ///< of q, and of what has its shape
  TokenRows keys;              ///< of k and v, and of what has their shape
  std::int64_t sequences;      ///< of one image
  std::int64_t all_sequences;  ///< images * sequences * heads
  std::int64_t heads;
  std::int64_t head_dim;
  float scale;
  bool tensor_cores;  ///< whether the device has those that 16-bit products need
  TokenPrior<T> prior;
};

/// The keys of a sequence are cut into parts of `keys_per_part`. With more than one, what each part finds is
/// kept, in float32, for combine_attention.
template <class T>
struct AttentionArgs {
  AttentionProblem<T> problem;
  T* y;
  std::int64_t parts;
  std::int64_t keys_per_part;
  float* sums;        ///< [all sequences, parts, queries, head_dim]: of values times weights
  float* statistics;  ///< [all sequences, parts, queries, 2]: the largest score, the sum of the weights
};
template <class T>
void attend(const AttentionArgs<T>& args, Stream stream);
template <class T>
void combine_attention(const AttentionArgs<T>& args, Stream stream);

/// As attend, with the prior, in one part.
template <class T>
void attend_with_prior(const AttentionArgs<T>& args, Stream stream);

/// Turns pairs of channels of x [rows, heads * head_dim]; `back` turns them the other way.
template <class T>
struct RotaryArgs {
  const T* x;
  const float* angle;  ///< [head_dim]
  T* y;
  std::int64_t rows;
  std::int64_t tokens;  ///< rows of one image
  std::int64_t channels;
  std::int64_t head_dim;
  float scale;
  bool back;
};
template <class T>
void rotate(const RotaryArgs<T>& args, Stream stream);

}  // namespace dformer::cuda
