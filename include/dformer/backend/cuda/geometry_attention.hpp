#pragma once

#include <dformer/backend/cuda/attention_problem.hpp>
#include <dformer/backend/cuda/elements.hpp>
#include <dformer/backend/cuda/kernels/attention.hpp>
#include <dformer/backend/cuda/tensor.hpp>
#include <dformer/backend/geometry_prior.hpp>
#include <dformer/backend/shapes.hpp>

namespace dformer::cuda {

template <class T>
struct GeometryAttentionOps {
  /// softmax(q k^T + prior) v of each head, among the tokens of each row and then of each column (the second
  /// time with the first one's result as v), or among all tokens (DFormerv2, section 3.2). q, k, v [N, H, W,
  /// C]; k is already scaled. The prior's mask is computed where it is used and never held.
  /// Throws: ShapeError when the shapes disagree or the heads do not divide C.
  static Tensor<T> geometry_attention(const Tensor<T>& q, const Tensor<T>& k, const Tensor<T>& v,
                                      const GeometryPrior<Tensor<T>>& prior, int num_heads,
                                      GeometryAttention kind) {
    shapes::geometry_attention(q.shape(), k.shape(), v.shape(), prior.depth.shape(), prior.weight.shape(),
                               prior.decay.shape(), num_heads);
    require_one_device("geometry_attention", q, k, v, prior.depth, prior.weight, prior.decay);
    const GeometryPrior<Tensor<T>> used = usable(prior);
    if (kind == GeometryAttention::full) return along(TokenLines::grid, q, k, v, used, num_heads);
    const Tensor<T> rows = along(TokenLines::rows, q, k, v, used, num_heads);
    return along(TokenLines::columns, q, k, rows, used, num_heads);
  }

 private:
  template <class>
  friend struct GeometryGradientOps;  // needs the first half again

  /// With weight and decay in float32.
  static GeometryPrior<Tensor<T>> usable(const GeometryPrior<Tensor<T>>& prior) {
    return {prior.depth, full(prior.weight), full(prior.decay)};
  }

  static Tensor<T> along(TokenLines lines, const Tensor<T>& q, const Tensor<T>& k, const Tensor<T>& v,
                         const GeometryPrior<Tensor<T>>& prior, int num_heads) {
    Tensor<T> y(q.device(), q.shape());
    if (y.elements() == 0) return y;
    AttentionArgs<T> args{};
    args.problem = geometry_problem(q, k, v, prior, num_heads, lines);
    args.y = y.data();
    args.parts = 1;
    args.keys_per_part = args.problem.keys.length;
    attend_with_prior(args, q.device().stream());
    return y;
  }
};

}  // namespace dformer::cuda
