#pragma once

#include <algorithm>

#include <dformer/backend/cpu/kernels/kernels.hpp>
#include <dformer/backend/cpu/scratch.hpp>
#include <dformer/backend/shapes.hpp>

namespace dformer::cpu {

template <class T>
struct AttentionOps {
  /// softmax(scale * q k^T) v of each head. q [N, Tq, C]; kv [N, Tk, 2C] holds the key channels of all heads,
  /// then their value channels; gives [N, Tq, C].
  /// Throws: ShapeError when the shapes disagree or the heads do not divide C.
  static Tensor<T> attention(const Tensor<T>& q, const Tensor<T>& kv, int num_heads, float scale) {
    const Shape shape = shapes::attention(q.shape(), kv.shape(), num_heads);
    const std::int64_t keys = kv.shape()[1];
    const Device& device = q.device();
    Tensor<T> y(device, shape);
    AttentionArgs<T> args{};
    args.q = q.data();
    args.kv = kv.data();
    args.y = y.data();
    args.queries = shape[1];
    args.keys = keys;
    args.lanes = round_up(shape[1], attention_lanes<T>);
    args.group = std::min(args.lanes, lanes_per_task);
    // Many queries are tasks enough, and partial results of each would take much memory.
    args.parts = shape[1] > lanes_per_task ? 1 : (keys + keys_per_part - 1) / keys_per_part;
    args.heads = num_heads;
    args.head_dim = shape[2] / num_heads;
    args.scale = static_cast<T>(scale);
    Tensor<T> partial(device, Shape{shape[0], num_heads, args.parts, args.head_dim + 2, args.lanes});
    args.partial = partial.data();
    const KernelTable<T>& table = kernels<T>(device.isa());
    const std::int64_t tasks =
        args.lanes == 0 ? 0 : shape[0] * num_heads * round_up(args.lanes, args.group) / args.group;
    const std::int64_t longest = keys / args.parts + 1;
    run_with_scratch<T>(device, tasks * args.parts, attention_scratch<T>(longest, args.head_dim), args,
                        table.attention_part);
    run_with_scratch<T>(device, tasks, args.head_dim * attention_lanes<T>, args, table.attention_combine);
    return y;
  }

  /// Turns neighbouring channels (even, odd) of each head of x [N, H, W, C], times `scale`, by the number of
  /// the token, h * W + w, times the channel's angle [C / num_heads] (DFormerv2). The product is rounded to
  /// float, whatever T is, as the published weights were trained with it.
  /// Throws: ShapeError when the angles do not fit the heads or are odd in number.
  static Tensor<T> rotary(const Tensor<T>& x, const Tensor<T>& angle, int num_heads, float scale) {
    const Shape shape = shapes::rotary(x.shape(), angle.shape(), num_heads);
    Tensor<T> y(x.device(), shape);
    RotaryArgs<T> args{};
    args.x = x.data();
    args.angle = angle.data();
    args.y = y.data();
    args.tokens = shape[1] * shape[2];
    args.heads = num_heads;
    args.head_dim = shape[3] / num_heads;
    args.scale = static_cast<T>(scale);
    run_with_scratch<T>(x.device(), shape.rows(), 2 * args.head_dim, args,
                        kernels<T>(x.device().isa()).rotary);
    return y;
  }

 private:
  static constexpr std::int64_t keys_per_part = 512;
  static constexpr std::int64_t lanes_per_task = 512;

  static std::int64_t round_up(std::int64_t count, std::int64_t multiple) {
    return (count + multiple - 1) / multiple * multiple;
  }
};

}  // namespace dformer::cpu
