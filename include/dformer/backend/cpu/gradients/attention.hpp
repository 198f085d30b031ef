#pragma once

#include <algorithm>

#include <dformer/backend/cpu/kernels/gradients/kernels.hpp>
#include <dformer/backend/cpu/scratch.hpp>
#include <dformer/backend/gradient_shapes.hpp>
#include <dformer/backend/gradients.hpp>

namespace dformer::cpu {

template <class T>
struct AttentionGradientOps {
  /// Of attention(q [N, Tq, C], kv [N, Tk, 2C], num_heads, scale), given dy [N, Tq, C]. Scores are computed
  /// again, and held for a few queries and heads at a time.
  /// Throws: ShapeError when the shapes disagree or the heads do not divide C.
  static AttentionGradients<Tensor<T>> attention(const Tensor<T>& q, const Tensor<T>& kv, int num_heads,
                                                 float scale, const Tensor<T>& dy) {
    const Shape shape = shapes::attention_gradient(q.shape(), kv.shape(), num_heads, dy.shape());
    const std::int64_t images = shape[0];
    const std::int64_t queries = shape[1];
    const std::int64_t channels = shape[2];
    const std::int64_t keys = kv.shape()[1];
    const Device& device = q.device();
    AttentionGradients<Tensor<T>> gradients{Tensor<T>(device, shape), Tensor<T>(device, kv.shape())};
    if (queries == 0) std::fill_n(gradients.kv.data(), gradients.kv.shape().numel(), T(0));
    if (shape.numel() == 0) return gradients;

    const std::int64_t groups = (queries + queries_at_once - 1) / queries_at_once;
    const std::int64_t most_queries = (queries + groups - 1) / groups;
    AttentionGradientArgs<T> args{};
    args.kv = kv.data();
    args.dkv = gradients.kv.data();
    args.all_queries = queries;
    args.keys = keys;
    args.parts = (keys + keys_per_part - 1) / keys_per_part;
    args.lanes = round_up(most_queries);
    args.heads = num_heads;
    args.head_dim = channels / num_heads;
    args.padded = round_up(args.head_dim);
    args.scale = static_cast<T>(scale);
    const std::int64_t heads = images * num_heads;
    const std::int64_t head_bytes = 2 * keys * args.lanes * static_cast<std::int64_t>(sizeof(T));
    const std::int64_t together = std::clamp<std::int64_t>(held_bytes / head_bytes, 1, heads);
    Tensor<T> scores(device, Shape{together, keys, 2, args.lanes});
    Tensor<T> statistics(device, Shape{together, args.parts, 3, args.lanes});
    Tensor<T> parts(device, Shape{together, args.parts, most_queries, args.padded});
    args.scores = scores.data();
    args.statistics = statistics.data();
    args.dq_parts = parts.data();

    const GradientTable<T>& table = gradient_kernels<T>(device.isa());
    const std::int64_t scratch = attention_gradient_scratch(args.lanes, args.padded);
    for (std::int64_t group = 0; group < groups; ++group) {
      const std::int64_t first = queries * group / groups;
      args.queries = queries * (group + 1) / groups - first;
      args.q = q.data() + first * channels;
      args.dy = dy.data() + first * channels;
      args.dq = gradients.q.data() + first * channels;
      args.add = group > 0;
      for (args.first_head = 0; args.first_head < heads; args.first_head += together) {
        const std::int64_t some = std::min(together, heads - args.first_head);
        run_with_scratch<T>(device, some * args.parts, scratch, args, table.attention_scores);
        run_with_scratch<T>(device, some * args.parts, scratch, args, table.attention_keys);
        run_with_scratch<T>(device, some, 0, args, table.attention_queries);
      }
    }
    return gradients;
  }

  /// Of rotary(x, angle [C / num_heads], num_heads, scale), given dy [N, H, W, C]: turned back.
  /// Throws: ShapeError when the angles do not fit the heads or are odd in number.
  static Tensor<T> rotary(const Tensor<T>& dy, const Tensor<T>& angle, int num_heads, float scale) {
    const Shape shape = shapes::rotary(dy.shape(), angle.shape(), num_heads);
    Tensor<T> dx(dy.device(), shape);
    RotaryArgs<T> args{};
    args.x = dy.data();
    args.angle = angle.data();
    args.y = dx.data();
    args.tokens = shape[1] * shape[2];
    args.heads = num_heads;
    args.head_dim = shape[3] / num_heads;
    args.scale = static_cast<T>(scale);
    run_with_scratch<T>(dy.device(), shape.rows(), 2 * args.head_dim, args,
                        gradient_kernels<T>(dy.device().isa()).rotary);
    return dx;
  }

 private:
  static constexpr std::int64_t queries_at_once = 64;
  static constexpr std::int64_t keys_per_part = 512;
  static constexpr std::int64_t held_bytes = 4 << 20;  // in a cache, if not the nearest

  static std::int64_t round_up(std::int64_t count) {
    constexpr std::int64_t widest = 64 / sizeof(T);
    return (count + widest - 1) / widest * widest;
  }
};

}  // namespace dformer::cpu
