#pragma once

#include <dformer/backend/cpu/geometry_sequences.hpp>
#include <dformer/backend/cpu/kernels/kernels.hpp>
#include <dformer/backend/cpu/scratch.hpp>
#include <dformer/backend/geometry_prior.hpp>
#include <dformer/backend/shapes.hpp>

namespace dformer::cpu {

template <class T>
struct GeometryAttentionOps {
  /// softmax(q k^T + prior) v of each head, among the tokens of each row and then of each column (the second
  /// time with the first one's result as v), or among all tokens (DFormerv2, section 3.2). q, k, v [N, H, W,
  /// C]; k is already scaled. The prior's mask is computed where it is used and never held.
  /// Throws: ShapeError when the shapes disagree or the heads do not divide C.
  static Tensor<T> geometry_attention(const Tensor<T>& q, const Tensor<T>& k, const Tensor<T>& v,
                                      const GeometryPrior<Tensor<T>>& prior, int num_heads,
                                      GeometryAttention kind) {
    const Shape shape = shapes::geometry_attention(q.shape(), k.shape(), v.shape(), prior.depth.shape(),
                                                   prior.weight.shape(), prior.decay.shape(), num_heads);
    const Device& device = q.device();
    const KernelTable<T>& table = kernels<T>(device.isa());
    const std::int64_t height = shape[1];
    const std::int64_t width = shape[2];
    Tensor<T> y(device, shape);
    GeometryArgs<T> args = arguments(q, k, v, prior, num_heads);
    args.y = y.data();
    if (kind == GeometryAttention::full) {
      run(device, shape[0], GeometrySequences::grid(height, width), args, table.grid_attention);
      return y;
    }
    const Tensor<T> rows = along_rows(q, k, v, prior, num_heads);
    args.v = rows.data();
    run(device, shape[0], GeometrySequences::columns(height, width), args, table.line_attention);
    return y;
  }

 private:
  template <class>
  friend struct GeometryGradientOps;  // needs the first half again

  static constexpr std::int64_t queries_per_task = 256;

  /// The first half of the decomposed attention.
  static Tensor<T> along_rows(const Tensor<T>& q, const Tensor<T>& k, const Tensor<T>& v,
                              const GeometryPrior<Tensor<T>>& prior, int num_heads) {
    const Shape& shape = q.shape();
    Tensor<T> y(q.device(), shape);
    GeometryArgs<T> args = arguments(q, k, v, prior, num_heads);
    args.y = y.data();
    run(q.device(), shape[0], GeometrySequences::rows(shape[1], shape[2]), args,
        kernels<T>(q.device().isa()).line_attention);
    return y;
  }

  /// What all kernels are given of the operands.
  static GeometryArgs<T> arguments(const Tensor<T>& q, const Tensor<T>& k, const Tensor<T>& v,
                                   const GeometryPrior<Tensor<T>>& prior, int num_heads) {
    GeometryArgs<T> args{};
    args.q = q.data();
    args.k = k.data();
    args.v = v.data();
    args.depth = prior.depth.data();
    args.weight = prior.weight.data();
    args.decay = prior.decay.data();
    args.tokens = q.shape()[1] * q.shape()[2];
    args.width = q.shape()[2];
    args.heads = num_heads;
    args.head_dim = q.shape()[3] / num_heads;
    return args;
  }

  template <class Kernel>
  static void run(const Device& device, std::int64_t images, const GeometrySequences& sequences,
                  GeometryArgs<T> args, Kernel kernel) {
    if (args.tokens == 0) return;
    sequences.describe(queries_per_task, args);
    run_with_scratch<T>(device, images * args.sequences * args.heads * args.groups,
                        geometry_scratch<T>(args.length, args.head_dim), args, kernel);
  }
};

}  // namespace dformer::cpu
