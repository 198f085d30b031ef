#pragma once

#include <cstdint>

#include <dformer/backend/cuda/kernels/attention.hpp>

// Launchers of the kernels in device/gradients/attention.cuh and device/gradients/geometry_attention.cuh, for
// T float, half and bfloat16.
namespace dformer::cuda {

/// The gradients of attention. Scores are computed again, three times: for the statistics of each query's
/// softmax, for dq, and for dk and dv, so that every gradient is summed by one block, in registers.
template <class T>
struct AttentionGradientArgs {
  AttentionProblem<T> problem;
  const T* dy;  ///< as the queries
  T* dq;
  T* dk;  ///< as the keys
  T* dv;
  bool add;  ///< to what dq and dk hold
  std::int64_t parts;
  std::int64_t keys_per_part;
  /// [all sequences, parts, queries, 3]: the largest score, the sums of weights and of weights * responses;
  /// a response is the product of dy and a key's values.
  float* part_statistics;
  float* statistics;  ///< [all sequences, queries, 3]: the largest score, 1 / sum of weights, mean response
  float* dq_parts;    ///< [all sequences, parts, queries, head_dim], where there is more than one part
  float* prior_sums;  ///< [all sequences, queries, 2]: what the prior's two weights have of a query
};
template <class T>
void attention_gradient(const AttentionGradientArgs<T>& args, Stream stream);

/// With the prior, in one part.
template <class T>
void geometry_attention_gradient(const AttentionGradientArgs<T>& args, Stream stream);

/// The sums of `count` pairs [count, 2], made in double.
struct SumPairsArgs {
  const float* pairs;
  std::int64_t count;
  double* partial;  ///< [sum_pairs_blocks, 2]
  float* sums;      ///< [2]
};
inline constexpr int sum_pairs_blocks = 512;
void sum_pairs(const SumPairsArgs& args, Stream stream);

}  // namespace dformer::cuda
