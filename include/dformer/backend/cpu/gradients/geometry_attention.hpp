#pragma once

#include <algorithm>

#include <dformer/backend/cpu/geometry_attention.hpp>
#include <dformer/backend/cpu/kernels/gradients/kernels.hpp>
#include <dformer/backend/cpu/scratch.hpp>
#include <dformer/backend/gradient_shapes.hpp>
#include <dformer/backend/gradients.hpp>

namespace dformer::cpu {

template <class T>
struct GeometryGradientOps {
  /// Of geometry_attention(q, k, v [N, H, W, C], prior, num_heads, kind), given dy [N, H, W, C]. Scores are
  /// computed again, and held for a few queries of a sequence at a time.
  /// Throws: ShapeError when the shapes disagree or the heads do not divide C.
  static GeometryAttentionGradients<Tensor<T>> geometry_attention(const Tensor<T>& q, const Tensor<T>& k,
                                                                  const Tensor<T>& v,
                                                                  const GeometryPrior<Tensor<T>>& prior,
                                                                  int num_heads, GeometryAttention kind,
                                                                  const Tensor<T>& dy) {
    const Shape shape =
        shapes::geometry_attention_gradient(q.shape(), k.shape(), v.shape(), prior.depth.shape(),
                                            prior.weight.shape(), prior.decay.shape(), num_heads, dy.shape());
    const Device& device = q.device();
    const GradientTable<T>& table = gradient_kernels<T>(device.isa());
    GeometryAttentionGradients<Tensor<T>> gradients{Tensor<T>(device, shape), Tensor<T>(device, shape),
                                                    Tensor<T>(device, shape),
                                                    Tensor<T>(device, prior.weight.shape())};
    std::fill_n(gradients.weight.data(), 2, T(0));
    if (shape.numel() == 0) return gradients;

    GeometryGradientArgs<T> args{};
    static_cast<GeometryArgs<T>&>(args) = GeometryAttentionOps<T>::arguments(q, k, v, prior, num_heads);
    args.dy = dy.data();
    args.dq = gradients.q.data();
    args.dk = gradients.k.data();
    args.dv = gradients.v.data();
    WeightSums weight;
    if (kind == GeometryAttention::full) {
      run(device, shape[0], GeometrySequences::grid(shape[1], shape[2]), args, table.grid_attention, weight);
    } else {
      // The columns' values are the rows' results, so that their gradient is what the rows are given.
      const Tensor<T> rows = GeometryAttentionOps<T>::along_rows(q, k, v, prior, num_heads);
      Tensor<T> rows_gradient(device, shape);
      args.v = rows.data();
      args.dv = rows_gradient.data();
      run(device, shape[0], GeometrySequences::columns(shape[1], shape[2]), args, table.line_attention,
          weight);
      args.v = v.data();
      args.dv = gradients.v.data();
      args.dy = rows_gradient.data();
      args.add = true;
      run(device, shape[0], GeometrySequences::rows(shape[1], shape[2]), args, table.line_attention, weight);
    }
    gradients.weight.data()[0] = static_cast<T>(weight.position);
    gradients.weight.data()[1] = static_cast<T>(weight.depth);
    return gradients;
  }

 private:
  struct WeightSums {
    double position = 0;
    double depth = 0;
  };

  template <class Kernel>
  static void run(const Device& device, std::int64_t images, const GeometrySequences& sequences,
                  GeometryGradientArgs<T> args, Kernel kernel, WeightSums& weight) {
    constexpr std::int64_t widest = 64 / sizeof(T);
    sequences.describe(sequences.length, args);
    args.padded = (args.head_dim + widest - 1) / widest * widest;
    const std::int64_t tasks = images * args.sequences * args.heads;
    Tensor<double> sums(device, Shape{tasks, 2});
    args.weight_sums = sums.data();
    run_with_scratch<T>(device, tasks, geometry_gradient_scratch(args.length, args.padded), args, kernel);
    for (std::int64_t task = 0; task < tasks; ++task) {
      const double decay = static_cast<double>(args.decay[task % args.heads]);
      weight.position += decay * args.weight_sums[2 * task];
      weight.depth += decay * args.weight_sums[2 * task + 1];
    }
  }
};

}  // namespace dformer::cpu
