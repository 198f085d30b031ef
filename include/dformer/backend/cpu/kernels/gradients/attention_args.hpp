#pragma once

#include <cstdint>

namespace dformer::cpu {

/// Keys of one block, at most.
inline constexpr int gradient_keys = 128;

/// Elements of scratch: queries and gradients of a head as rows and as lanes, a block's keys and its results,
/// and what the softmax of each lane is made with.
constexpr std::int64_t attention_gradient_scratch(std::int64_t lanes, std::int64_t padded) {
  return 4 * lanes * padded + 2 * gradient_keys * padded + 3 * lanes;
}

/// The gradients of attention (attention_args.hpp) for a few queries [n, queries, heads * head_dim] out of
/// the `all_queries` of an image, in kernels that follow one another. Queries are lanes; the keys are cut
/// into blocks, whatever the number of threads.
///   attention_gradient_scores   (n, head, block)  weights and responses of the block, and their statistics
///   attention_gradient_keys     (n, head, block)  dkv of the block's keys, and its part of dq
///   attention_gradient_queries  (n, head)         dq, the parts of all blocks added in their order
template <class T>
struct AttentionGradientArgs {
  const T* q;
  const T* kv;
  const T* dy;
  T* dq;
  T* dkv;
  T* weights;     // [n, heads, blocks, gradient_keys, lanes]: e^(score - largest of the block)
  T* responses;   // alike: products of dy and values
  T* statistics;  // [n, heads, blocks, 3, lanes]: largest score, sum of weights, of weights * responses
  T* dq_parts;    // [n, heads, blocks, queries, padded]
  T* scratch;
  std::int64_t queries;
  std::int64_t all_queries;
  std::int64_t keys;
  std::int64_t lanes;
  std::int64_t blocks;
  std::int64_t heads;
  std::int64_t head_dim;
  std::int64_t padded;  // head_dim in whole vectors, of the widest kind
  T scale;
  bool add;  // to what dkv holds
};

}  // namespace dformer::cpu
