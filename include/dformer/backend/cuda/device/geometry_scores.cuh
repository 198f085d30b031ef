#pragma once

#include <dformer/backend/cuda/device/attention_tile.cuh>

namespace dformer::cuda::device {

/// Scores with the geometry prior along a row or a column, where the distance of positions is that of
/// numbers.
template <class T>
struct LineScores {
  struct Place {
    float position, depth;
  };
  const T* depth;  ///< of the line's first token
  std::int64_t step;
  float position_factor, depth_factor;

  __device__ __forceinline__ LineScores(const AttentionProblem<T>& problem, const HeadOfSequence& head)
      : depth(problem.prior.depth + head.image * problem.prior.tokens +
              head.sequence * problem.prior.sequence_step),
        step(problem.prior.token_step),
        position_factor(problem.prior.decay[head.head] * problem.prior.weight[0]),
        depth_factor(problem.prior.decay[head.head] * problem.prior.weight[1]) {}

  __device__ __forceinline__ Place place(std::int64_t index) const {
    return {static_cast<float>(index), to_float(depth[index * step])};
  }
  __device__ __forceinline__ float operator()(float product, const Place& a, const Place& b) const {
    return fmaf(fabsf(a.depth - b.depth), depth_factor,
                fmaf(fabsf(a.position - b.position), position_factor, product));
  }
};

/// Scores with the geometry prior, which is made from the places of the two tokens where it is needed. On a
/// line one of the two distances of positions is 0: lines and whole grids are the same.
template <class T>
struct GeometryScores {
  struct Place {
    float row, column, depth;
  };
  const T* depth;
  std::int64_t first;  // token of the image
  std::int64_t step;
  std::int64_t width;
  float decay;
  float position_factor, depth_factor;

  __device__ __forceinline__ GeometryScores(const AttentionProblem<T>& problem, const HeadOfSequence& head)
      : depth(problem.prior.depth + head.image * problem.prior.tokens),
        first(head.sequence * problem.prior.sequence_step),
        step(problem.prior.token_step),
        width(problem.prior.width),
        decay(problem.prior.decay[head.head]),
        position_factor(decay * problem.prior.weight[0]),
        depth_factor(decay * problem.prior.weight[1]) {}

  __device__ __forceinline__ Place place(std::int64_t index) const {
    const auto token = static_cast<std::uint32_t>(first + index * step);
    const auto columns = static_cast<std::uint32_t>(width);
    return {static_cast<float>(token / columns), static_cast<float>(token % columns), to_float(depth[token])};
  }
  static __device__ __forceinline__ float position_distance(const Place& a, const Place& b) {
    return fabsf(a.row - b.row) + fabsf(a.column - b.column);
  }
  static __device__ __forceinline__ float depth_distance(const Place& a, const Place& b) {
    return fabsf(a.depth - b.depth);
  }
  __device__ __forceinline__ float operator()(float product, const Place& a, const Place& b) const {
    return fmaf(depth_distance(a, b), depth_factor, fmaf(position_distance(a, b), position_factor, product));
  }

  /// What the gradients of a query's scores are to the prior's two weights, before the decay.
  struct Sums {
    float position, depth;
  };
  __device__ __forceinline__ void add(float gradient, const Place& a, const Place& b, Sums& sums) const {
    sums.position = fmaf(gradient, position_distance(a, b), sums.position);
    sums.depth = fmaf(gradient, depth_distance(a, b), sums.depth);
  }
  /// All threads of the row put theirs together; the one that `stores` writes them down.
  __device__ __forceinline__ void store(const Sums& sums, bool stores, float* to) const {
    const float position = sum_of_row_lanes(sums.position), depth_sum = sum_of_row_lanes(sums.depth);
    if (!stores) return;
    to[0] = decay * position;
    to[1] = decay * depth_sum;
  }
};

}  // namespace dformer::cuda::device
