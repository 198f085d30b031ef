#pragma once

#include <cstdint>

namespace dformer::cpu {

/// Keys that are a block; with 64 queries, what is made of its scores fits the nearest cache.
inline constexpr int gradient_keys = 64;

/// Elements of scratch: queries and gradients of a head as rows and as lanes, a block of keys and of its
/// results, what is made of its scores, and what the softmax of each lane is made with.
constexpr std::int64_t attention_gradient_scratch(std::int64_t lanes, std::int64_t padded) {
  return 4 * lanes * padded + 2 * gradient_keys * (padded + lanes) + 3 * lanes;
}

/// The gradients of attention (attention_args.hpp) for a few queries [n, queries, heads * head_dim] out of
/// the `all_queries` of an image, in kernels that follow one another. Queries are lanes; the keys are cut
/// into parts, whatever the number of threads. Heads are counted through all images, from `first_head` on: a
/// few at a time, so that their scores are still in a cache when they are taken up again.
///   attention_gradient_scores   (head, part)  the scores of the part's keys, and their statistics
///   attention_gradient_keys     (head, part)  dkv of the part's keys, and what dq has of them
///   attention_gradient_queries  (head)        dq, all parts added in their order
template <class T>
struct AttentionGradientArgs {
  const T* q;
  const T* kv;
  const T* dy;
  T* dq;
  T* dkv;
  T* scores;      // [head, keys, 2, lanes]: products of queries and keys; responses, of dy and values
  T* statistics;  // [head, parts, 3, lanes]: largest score, sums of weights and of weights * responses
  T* dq_parts;    // [head, parts, queries, padded]
  T* scratch;
  std::int64_t first_head;
  std::int64_t queries;
  std::int64_t all_queries;
  std::int64_t keys;
  std::int64_t parts;
  std::int64_t lanes;
  std::int64_t heads;
  std::int64_t head_dim;
  std::int64_t padded;  // head_dim in whole vectors, of the widest kind
  T scale;
  bool add;  // to what dkv holds
};

}  // namespace dformer::cpu
