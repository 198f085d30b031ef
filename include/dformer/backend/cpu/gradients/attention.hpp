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
  /// again, and held for a few queries and images at a time.
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

    AttentionGradientArgs<T> args{};
    args.all_queries = queries;
    args.keys = keys;
    args.blocks = (keys + gradient_keys - 1) / gradient_keys;
    args.heads = num_heads;
    args.head_dim = channels / num_heads;
    args.padded = round_up(args.head_dim);
    args.scale = static_cast<T>(scale);
    const std::int64_t groups = (queries + queries_at_once - 1) / queries_at_once;
    const std::int64_t most_queries = (queries + groups - 1) / groups;
    args.lanes = round_up(most_queries);

    const std::int64_t blocks = num_heads * args.blocks;  // of one image
    const std::int64_t image_bytes =
        2 * blocks * gradient_keys * args.lanes * static_cast<std::int64_t>(sizeof(T));
    const std::int64_t together = std::clamp<std::int64_t>(held_bytes / image_bytes, 1, images);
    Tensor<T> weights(device, Shape{together, blocks, gradient_keys, args.lanes});
    Tensor<T> responses(device, weights.shape());
    Tensor<T> statistics(device, Shape{together, blocks, 3, args.lanes});
    Tensor<T> parts(device, Shape{together, blocks, most_queries, args.padded});
    args.weights = weights.data();
    args.responses = responses.data();
    args.statistics = statistics.data();
    args.dq_parts = parts.data();

    const GradientTable<T>& table = gradient_kernels<T>(device.isa());
    const std::int64_t scratch = attention_gradient_scratch(args.lanes, args.padded);
    for (std::int64_t n = 0; n < images; n += together) {
      const std::int64_t some = std::min(together, images - n);
      for (std::int64_t group = 0; group < groups; ++group) {
        const std::int64_t first = queries * group / groups;
        const std::int64_t offset = (n * queries + first) * channels;
        args.queries = queries * (group + 1) / groups - first;
        args.q = q.data() + offset;
        args.dy = dy.data() + offset;
        args.dq = gradients.q.data() + offset;
        args.kv = kv.data() + n * keys * 2 * channels;
        args.dkv = gradients.kv.data() + n * keys * 2 * channels;
        args.add = group > 0;
        run_with_scratch<T>(device, some * blocks, scratch, args, table.attention_scores);
        run_with_scratch<T>(device, some * blocks, scratch, args, table.attention_keys);
        run_with_scratch<T>(device, some * num_heads, 0, args, table.attention_queries);
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
  static constexpr std::int64_t held_bytes = 16 << 20;

  static std::int64_t round_up(std::int64_t count) {
    constexpr std::int64_t widest = 64 / sizeof(T);
    return (count + widest - 1) / widest * widest;
  }
};

}  // namespace dformer::cpu
