#pragma once

#include <cstdint>

#include <dformer/backend/cuda/kernels/attention.hpp>
#include <dformer/backend/cuda/tensor.hpp>
#include <dformer/backend/geometry_prior.hpp>

namespace dformer::cuda {

/// q [N, Tq, C] to keys and values kv [N, Tk, 2C].
template <class T>
AttentionProblem<T> attention_problem(const Tensor<T>& q, const Tensor<T>& kv, int num_heads, float scale) {
  const std::int64_t queries = q.shape()[1], keys = kv.shape()[1], channels = q.shape()[2];
  AttentionProblem<T> problem{};
  problem.q = q.data();
  problem.k = kv.data();
  problem.v = kv.data() + channels;
  problem.queries = {queries * channels, 0, channels, queries};
  problem.keys = {2 * keys * channels, 0, 2 * channels, keys};
  problem.sequences = 1;
  problem.all_sequences = q.shape()[0] * num_heads;
  problem.heads = num_heads;
  problem.head_dim = channels / num_heads;
  problem.scale = scale;
  problem.tensor_cores = q.device().has_tensor_cores();
  return problem;
}

/// Along which tokens of the grid geometry attention goes.
enum class TokenLines : std::uint8_t { rows, columns, grid };

/// q, k, v [N, H, W, C], not empty, with a prior whose weight and decay are float32.
template <class T>
AttentionProblem<T> geometry_problem(const Tensor<T>& q, const Tensor<T>& k, const Tensor<T>& v,
                                     const GeometryPrior<Tensor<T>>& prior, int num_heads, TokenLines lines) {
  const std::int64_t height = q.shape()[1], width = q.shape()[2], channels = q.shape()[3];
  AttentionProblem<T> problem{};
  problem.q = q.data();
  problem.k = k.data();
  problem.v = v.data();
  problem.heads = num_heads;
  problem.head_dim = channels / num_heads;
  problem.scale = 1.0f;
  problem.tensor_cores = q.device().has_tensor_cores();
  problem.prior = {
      prior.depth.data(), prior.weight.full_data(), prior.decay.full_data(), height * width, width, 0, 1};
  std::int64_t length = height * width;
  problem.sequences = 1;
  if (lines == TokenLines::rows) {
    length = width;
    problem.sequences = height;
    problem.prior.sequence_step = width;
  } else if (lines == TokenLines::columns) {
    length = height;
    problem.sequences = width;
    problem.prior.sequence_step = 1;
    problem.prior.token_step = width;
  }
  problem.queries = {height * width * channels, problem.prior.sequence_step * channels,
                     problem.prior.token_step * channels, length};
  problem.keys = problem.queries;
  problem.all_sequences = q.shape()[0] * problem.sequences * num_heads;
  return problem;
}

}  // namespace dformer::cuda
