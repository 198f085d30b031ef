#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

namespace dformer::cpu {

/// Queries that one pass over the keys serves, at most: two of the widest vectors.
template <class T>
inline constexpr int attention_lanes = 2 * 64 / static_cast<int>(sizeof(T));

/// Keys whose scores are held at a time, and the multiple to which packed keys are filled up.
inline constexpr int attention_keys = 128;
inline constexpr int attention_key_padding = 16;

/// Elements for the keys and values of one head, side by side, and for the scores of one block.
template <class T>
constexpr std::int64_t attention_scratch(std::int64_t keys, std::int64_t head_dim) {
  return 2 * (keys + attention_key_padding) * head_dim + (2 * head_dim + attention_keys) * attention_lanes<T>;
}

/// Softmax attention of queries [n, queries, heads * head_dim] to keys and values [n, keys, 2 * heads *
/// head_dim]. The keys are cut into `parts`; attention_part leaves what it found for one of them in `partial`
/// [n, heads, parts, head_dim + 2, lanes], where lanes are the queries rounded up, and attention_combine puts
/// the parts together in their order. A task of either is a head of an image (with a part of its keys) and a
/// group of `group` lanes; the parts do not depend on the number of threads, so neither does the result.
template <class T>
struct AttentionArgs {
  const T* q;
  const T* kv;
  T* partial;
  T* y;
  T* scratch;
  std::int64_t queries;
  std::int64_t keys;
  std::int64_t lanes;
  std::int64_t group;
  std::int64_t parts;
  std::int64_t heads;
  std::int64_t head_dim;
  T scale;
};

}  // namespace dformer::cpu
