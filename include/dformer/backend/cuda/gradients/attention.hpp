#pragma once

#include <dformer/backend/cuda/attention.hpp>
#include <dformer/backend/cuda/attention_problem.hpp>
#include <dformer/backend/cuda/kernels/gradients/attention.hpp>
#include <dformer/backend/cuda/key_parts.hpp>
#include <dformer/backend/gradient_shapes.hpp>
#include <dformer/backend/gradients.hpp>

namespace dformer::cuda {

template <class T>
struct AttentionGradientOps {
  /// Of attention(q [N, Tq, C], kv [N, Tk, 2C], num_heads, scale), given dy [N, Tq, C]. Scores are computed
  /// again where they are used, and never held.
  /// Throws: ShapeError when the shapes disagree or the heads do not divide C.
  static AttentionGradients<Tensor<T>> attention(const Tensor<T>& q, const Tensor<T>& kv, int num_heads,
                                                 float scale, const Tensor<T>& dy) {
    const Shape shape = shapes::attention_gradient(q.shape(), kv.shape(), num_heads, dy.shape());
    require_one_device("attention gradient", q, kv, dy);
    const Device& device = q.device();
    AttentionGradients<Tensor<T>> gradients{Tensor<T>(device, shape), Tensor<T>(device, kv.shape())};
    if (shape.numel() == 0) {
      fill_with_zeros(gradients.kv);
      return gradients;
    }
    AttentionGradientArgs<T> args{};
    args.problem = attention_problem(q, kv, num_heads, scale);
    args.dy = dy.data();
    args.dq = gradients.q.data();
    args.dk = gradients.kv.data();
    args.dv = gradients.kv.data() + shape[2];
    const KeyParts parts = KeyParts::of(args.problem);
    args.parts = parts.count;
    args.keys_per_part = parts.keys;
    const std::int64_t rows = args.problem.all_sequences * shape[1];
    Tensor<float> part_statistics(device, Shape{rows * parts.count, 3});
    Tensor<float> statistics(device, Shape{rows, 3});
    Tensor<float> dq_parts(device, Shape{parts.count > 1 ? rows * parts.count : 0, args.problem.head_dim});
    args.part_statistics = part_statistics.data();
    args.statistics = statistics.data();
    args.dq_parts = dq_parts.data();
    attention_gradient(args, device.stream());
    return gradients;
  }

  /// Of rotary(x, angle [C / num_heads], num_heads, scale), given dy [N, H, W, C]: turned back.
  /// Throws: ShapeError when the angles do not fit the heads or are odd in number.
  static Tensor<T> rotary(const Tensor<T>& dy, const Tensor<T>& angle, int num_heads, float scale) {
    return AttentionOps<T>::turned(dy, angle, num_heads, scale, true);
  }
};

}  // namespace dformer::cuda
