#pragma once

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
    GeometryArgs<T> args{};
    args.q = q.data();
    args.k = k.data();
    args.v = v.data();
    args.depth = prior.depth.data();
    args.weight = prior.weight.data();
    args.decay = prior.decay.data();
    args.y = y.data();
    args.tokens = height * width;
    args.width = width;
    args.heads = num_heads;
    args.head_dim = shape[3] / num_heads;
    if (kind == GeometryAttention::full) {
      run(device, shape[0], {1, 0, 1, args.tokens}, args, table.grid_attention);
      return y;
    }
    Tensor<T> rows(device, shape);
    args.y = rows.data();
    run(device, shape[0], {height, width, 1, width}, args, table.line_attention);
    args.v = rows.data();
    args.y = y.data();
    run(device, shape[0], {width, 1, width, height}, args, table.line_attention);
    return y;
  }

 private:
  static constexpr std::int64_t queries_per_task = 256;

  /// The sequences of an image: how many, the steps from one to the next and within one, and their length.
  struct Sequences {
    std::int64_t count;
    std::int64_t step;
    std::int64_t token_step;
    std::int64_t length;
  };

  template <class Kernel>
  static void run(const Device& device, std::int64_t images, const Sequences& sequences, GeometryArgs<T> args,
                  Kernel kernel) {
    if (args.tokens == 0) return;
    args.sequences = sequences.count;
    args.sequence_step = sequences.step;
    args.token_step = sequences.token_step;
    args.length = sequences.length;
    args.groups = (sequences.length + queries_per_task - 1) / queries_per_task;
    run_with_scratch<T>(device, images * args.sequences * args.heads * args.groups,
                        geometry_scratch<T>(args.length, args.head_dim), args, kernel);
  }
};

}  // namespace dformer::cpu
