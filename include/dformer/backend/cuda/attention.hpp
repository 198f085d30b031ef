#pragma once

#include <dformer/backend/cuda/attention_problem.hpp>
#include <dformer/backend/cuda/elements.hpp>
#include <dformer/backend/cuda/kernels/attention.hpp>
#include <dformer/backend/cuda/key_parts.hpp>
#include <dformer/backend/cuda/tensor.hpp>
#include <dformer/backend/shapes.hpp>

namespace dformer::cuda {

template <class T>
struct AttentionOps {
  /// softmax(scale * q k^T) v of each head. q [N, Tq, C]; kv [N, Tk, 2C] holds the key channels of all heads,
  /// then their value channels; gives [N, Tq, C].
  /// Throws: ShapeError when the shapes disagree or the heads do not divide C.
  static Tensor<T> attention(const Tensor<T>& q, const Tensor<T>& kv, int num_heads, float scale) {
    const Shape shape = shapes::attention(q.shape(), kv.shape(), num_heads);
    require_one_device("attention", q, kv);
    const Device& device = q.device();
    Tensor<T> y(device, shape);
    if (shape.numel() == 0) return y;
    AttentionArgs<T> args{};
    args.problem = attention_problem(q, kv, num_heads, scale);
    args.y = y.data();
    const KeyParts parts = KeyParts::of(args.problem);
    args.parts = parts.count;
    args.keys_per_part = parts.keys;
    if (parts.count == 1) {
      attend(args, device.stream());
      return y;
    }
    const std::int64_t rows = args.problem.all_sequences * parts.count * shape[1];
    Tensor<float> sums(device, Shape{rows, args.problem.head_dim});
    Tensor<float> statistics(device, Shape{rows, 2});
    args.sums = sums.data();
    args.statistics = statistics.data();
    attend(args, device.stream());
    combine_attention(args, device.stream());
    return y;
  }

  /// Turns neighbouring channels (even, odd) of each head of x [N, H, W, C], times `scale`, by the number of
  /// the token, h * W + w, times the channel's angle [C / num_heads] (DFormerv2). The product is rounded to
  /// float, whatever T is, as the published weights were trained with it.
  /// Throws: ShapeError when the angles do not fit the heads or are odd in number.
  static Tensor<T> rotary(const Tensor<T>& x, const Tensor<T>& angle, int num_heads, float scale) {
    return turned(x, angle, num_heads, scale, false);
  }

 private:
  template <class>
  friend struct AttentionGradientOps;  // turns back

  static Tensor<T> turned(const Tensor<T>& x, const Tensor<T>& angle, int num_heads, float scale, bool back) {
    const Shape shape = shapes::rotary(x.shape(), angle.shape(), num_heads);
    require_one_device("rotary", x, angle);
    Tensor<T> y(x.device(), shape);
    const Tensor<T> angles = full(angle);
    rotate(RotaryArgs<T>{x.data(), angles.full_data(), y.data(), shape.rows(), shape[1] * shape[2], shape[3],
                         shape[3] / num_heads, scale, back},
           x.device().stream());
    return y;
  }
};

}  // namespace dformer::cuda
