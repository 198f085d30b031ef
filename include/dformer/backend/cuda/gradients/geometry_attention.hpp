#pragma once

#include <dformer/backend/cuda/attention_problem.hpp>
#include <dformer/backend/cuda/geometry_attention.hpp>
#include <dformer/backend/cuda/kernels/gradients/attention.hpp>
#include <dformer/backend/gradient_shapes.hpp>
#include <dformer/backend/gradients.hpp>

namespace dformer::cuda {

template <class T>
struct GeometryGradientOps {
  /// Of geometry_attention(q, k, v [N, H, W, C], prior, num_heads, kind), given dy [N, H, W, C]. Scores are
  /// computed again where they are used, and never held. The gradient of the prior's weight is float32.
  /// Throws: ShapeError when the shapes disagree or the heads do not divide C.
  static GeometryAttentionGradients<Tensor<T>> geometry_attention(const Tensor<T>& q, const Tensor<T>& k,
                                                                  const Tensor<T>& v,
                                                                  const GeometryPrior<Tensor<T>>& prior,
                                                                  int num_heads, GeometryAttention kind,
                                                                  const Tensor<T>& dy) {
    const Shape shape =
        shapes::geometry_attention_gradient(q.shape(), k.shape(), v.shape(), prior.depth.shape(),
                                            prior.weight.shape(), prior.decay.shape(), num_heads, dy.shape());
    require_one_device("geometry_attention gradient", q, k, v, prior.depth, prior.weight, prior.decay, dy);
    const Device& device = q.device();
    GeometryAttentionGradients<Tensor<T>> gradients{Tensor<T>(device, shape), Tensor<T>(device, shape),
                                                    Tensor<T>(device, shape),
                                                    Tensor<T>(device, prior.weight.shape(), Elements::full)};
    if (shape.numel() == 0) {
      fill_with_zeros(gradients.weight);
      return gradients;
    }
    const GeometryPrior<Tensor<T>> used = GeometryAttentionOps<T>::usable(prior);
    const bool full_grid = kind == GeometryAttention::full;
    const std::int64_t rows = shape[0] * shape[1] * shape[2] * num_heads;  // queries of all heads
    Tensor<float> statistics(device, Shape{2, rows, 3});
    Tensor<float> prior_sums(device, Shape{full_grid ? 1 : 2, rows, 2});
    Tensor<float> partial(device, Shape{2 * sum_pairs_blocks, 2});  // as doubles
    AttentionGradientArgs<T> args{};
    args.dy = dy.data();
    args.dq = gradients.q.data();
    args.dk = gradients.k.data();
    args.dv = gradients.v.data();
    args.parts = 1;
    args.part_statistics = statistics.data();
    args.statistics = statistics.data() + 3 * rows;
    args.prior_sums = prior_sums.data();
    const auto along = [&](TokenLines lines, const Tensor<T>& values) {
      args.problem = geometry_problem(q, k, values, used, num_heads, lines);
      args.keys_per_part = args.problem.keys.length;
      geometry_attention_gradient(args, device.stream());
    };
    if (full_grid) {
      along(TokenLines::grid, v);
    } else {
      // The columns' values are the rows' results, so that their gradient is what the rows are given.
      const Tensor<T> rows_result =
          GeometryAttentionOps<T>::along(TokenLines::rows, q, k, v, used, num_heads);
      Tensor<T> rows_gradient(device, shape);
      args.dv = rows_gradient.data();
      along(TokenLines::columns, rows_result);
      args.dy = rows_gradient.data();
      args.dv = gradients.v.data();
      args.add = true;
      args.prior_sums += 2 * rows;
      along(TokenLines::rows, v);
    }
    sum_pairs({prior_sums.data(), prior_sums.elements() / 2, static_cast<double*>(partial.memory()),
               gradients.weight.full_data()},
              device.stream());
    return gradients;
  }
};

}  // namespace dformer::cuda
