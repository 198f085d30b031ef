#pragma once

#include <initializer_list>
#include <span>
#include <string>

#include <dformer/backend/epilogue.hpp>
#include <dformer/backend/geometry_prior.hpp>
#include <dformer/backend/weight_layout.hpp>
#include <dformer/backend/window.hpp>
#include <dformer/core/error.hpp>
#include <dformer/core/shape.hpp>

/// The shape rule of every operation, once: each function checks its operands and returns the shape of the
/// result. Every backend calls these first, so a wrong shape never reaches a kernel and reads the same
/// everywhere. Throws: ShapeError with the operation in brackets, the rule, and the shapes received.
namespace dformer::shapes {

[[noreturn, gnu::cold, gnu::noinline]] inline void fail(const char* op, const std::string& rule,
                                                        std::initializer_list<Shape> received) {
  std::string text = "[";
  text.append(op).append("] ").append(rule).append("; got");
  for (const Shape& shape : received) text += " " + to_string(shape);
  throw_shape_error(text);
}

/// A weight of PyTorch's shape: dense [O, I] or [O, I, kh, kw], depthwise [C, 1, kh, kw], no extent empty.
inline void weight(WeightLayout layout, const Shape& shape) {
  const bool filled = shape.is_valid() && shape.numel() > 0;
  const bool dense = layout == WeightLayout::dense && (shape.rank() == 2 || shape.rank() == 4);
  const bool depthwise = layout == WeightLayout::depthwise && shape.rank() == 4 && shape[1] == 1;
  if (layout == WeightLayout::plain || (filled && (dense || depthwise))) return;
  fail("weight",
       dense || layout == WeightLayout::dense ? "[O, I] or [O, I, kh, kw] expected"
                                              : "[C, 1, kh, kw] expected",
       {shape});
}

/// A convolution's window must have a kernel, a stride and a dilation of 1 or more, and no negative padding.
inline void window(const char* op, const Window& given) {
  if (given.kernel >= 1 && given.stride >= 1 && given.dilation >= 1 && given.padding >= 0) return;
  throw_argument_error(
      "[" + std::string(op) + "] kernel, stride and dilation of 1 or more and padding of 0 or more " +
      "expected; got kernel " + std::to_string(given.kernel) + ", stride " + std::to_string(given.stride) +
      ", dilation " + std::to_string(given.dilation) + ", padding " + std::to_string(given.padding));
}

/// Inputs [..., C_i] that agree in all but the last extent; gives [..., sum C_i].
inline Shape concat(std::span<const Shape> inputs, const char* op = "concat") {
  if (inputs.empty() || inputs[0].rank() == 0) fail(op, "expected at least one input of rank 1 or more", {});
  std::int64_t channels = 0;
  for (const Shape& input : inputs) {
    if (input.rank() == 0 || !(input.with_back(1) == inputs[0].with_back(1))) {
      fail(op, "inputs must agree in all but the last extent", {inputs[0], input});
    }
    channels += input.back();
  }
  return inputs[0].with_back(channels);
}

/// x [N, H, W, C] with one value for each channel of each image, twice: [N, 1, 1, C].
inline Shape gate(const Shape& x, const Shape& spatial, const Shape& channel) {
  const auto fits = [&](const Shape& one) {
    return one.rank() == 4 && one[0] == x[0] && one[1] == 1 && one[2] == 1 && one[3] == x[3];
  };
  if (x.rank() != 4 || !fits(spatial) || !fits(channel)) {
    fail("gate", "input [N, H, W, C] and twice [N, 1, 1, C] expected", {x, spatial, channel});
  }
  return x;
}

/// `count` channels of x [..., C] from `first` on, which may lie before or beyond those that there are: [...,
/// count].
inline Shape select_channels(const Shape& x, std::int64_t first, std::int64_t count) {
  if (x.rank() == 0) fail("select_channels", "input must be [..., C]", {x});
  constexpr std::int64_t most = std::int64_t{1} << 40;  // so that no sum of these overflows
  if (count < 1 || count > most || first < -most || first > most) {
    fail("select_channels",
         "1 channel or more expected, asked for " + std::to_string(count) + " from " + std::to_string(first) +
             " on",
         {x});
  }
  return x.with_back(count);
}

/// x [..., I] by weight [O, I] (or [O, I, 1, 1]) gives [..., O].
inline Shape linear(const Shape& x, const Shape& weight) {
  const bool pointwise = weight.rank() == 4 && weight[2] == 1 && weight[3] == 1;
  if (weight.rank() != 2 && !pointwise) fail("linear", "weight must be [O, I] or [O, I, 1, 1]", {weight});
  if (x.rank() < 1 || x.back() != weight[1]) {
    fail("linear", std::to_string(weight[1]) + " input channels expected", {x, weight});
  }
  return x.with_back(weight[0]);
}

/// x [N, H, W, I] by weight [O, I, k, k] gives [N, H', W', O].
inline Shape conv2d(const Shape& x, const Shape& weight, const Window& window) {
  shapes::window("conv2d", window);
  if (x.rank() != 4) fail("conv2d", "input must be [N, H, W, C]", {x});
  if (weight.rank() != 4 || weight[2] != window.kernel || weight[3] != window.kernel) {
    fail("conv2d", "weight must be [O, I, k, k] with k = " + std::to_string(window.kernel), {weight});
  }
  if (x[3] != weight[1]) {
    fail("conv2d", std::to_string(weight[1]) + " input channels expected", {x, weight});
  }
  const Shape result{x[0], window.output_extent(x[1]), window.output_extent(x[2]), weight[0]};
  if (result[1] < 1 || result[2] < 1) fail("conv2d", "input is smaller than the window", {x, weight});
  return result;
}

/// x [N, H, W, C] by weight [C, 1, k, k] gives [N, H', W', C].
inline Shape depthwise_conv2d(const Shape& x, const Shape& weight, const Window& window) {
  shapes::window("depthwise_conv2d", window);
  if (x.rank() != 4) fail("depthwise_conv2d", "input must be [N, H, W, C]", {x});
  if (weight.rank() != 4 || weight[1] != 1 || weight[2] != window.kernel || weight[3] != window.kernel) {
    fail("depthwise_conv2d", "weight must be [C, 1, k, k] with k = " + std::to_string(window.kernel),
         {weight});
  }
  if (x[3] != weight[0]) {
    fail("depthwise_conv2d", std::to_string(weight[0]) + " channels expected", {x, weight});
  }
  const Shape result{x[0], window.output_extent(x[1]), window.output_extent(x[2]), x[3]};
  if (result[1] < 1 || result[2] < 1)
    fail("depthwise_conv2d", "input is smaller than the window", {x, weight});
  return result;
}

/// Two operands of one shape, which is also the result's.
inline Shape same(const char* op, const Shape& a, const Shape& b) {
  if (!(a == b)) fail(op, "operands must have the same shape", {a, b});
  return a;
}

/// x [..., C] with one value a channel, [C].
inline Shape per_channel(const char* op, const Shape& x, const Shape& channels) {
  if (x.rank() < 1 || channels.numel() != x.back()) {
    fail(op, "one value for each of the input's channels expected", {x, channels});
  }
  return x;
}

/// What an epilogue brings must fit a result of shape y.
template <class Tensor>
void epilogue(const char* op, const Shape& y, const Epilogue<Tensor>& given) {
  if (given.scale) per_channel(op, y, given.scale.shape());
  if (given.shift) per_channel(op, y, given.shift.shape());
  if (given.multiply) same(op, y, given.multiply.shape());
  if (given.layer_scale) per_channel(op, y, given.layer_scale.shape());
  if (given.residual) same(op, y, given.residual.shape());
}

/// x [N, H, W, C] gives [N, height, width, C].
inline Shape resized(const char* op, const Shape& x, std::int64_t height, std::int64_t width) {
  if (x.rank() != 4 || x[1] < 1 || x[2] < 1) fail(op, "input must be [N, H, W, C] and not empty", {x});
  if (height < 1 || width < 1) fail(op, "output extents must be positive", {Shape{height, width}});
  return Shape{x[0], height, width, x[3]};
}

/// logits [N, H, W, K] with 1 to 256 classes give [N, height, width], one byte each.
inline Shape labels(const char* op, const Shape& logits, std::int64_t height, std::int64_t width) {
  const Shape image = resized(op, logits, height, width);
  if (logits[3] < 1 || logits[3] > 256) fail(op, "from 1 to 256 classes fit a byte", {logits});
  return Shape{image[0], image[1], image[2]};
}

/// q [N, Tq, C] and kv [N, Tk, 2C] (keys, then values) give [N, Tq, C].
inline Shape attention(const Shape& q, const Shape& kv, int num_heads) {
  if (q.rank() != 3 || kv.rank() != 3 || q[0] != kv[0] || 2 * q[2] != kv[2]) {
    fail("attention", "queries [N, Tq, C] and keys with values [N, Tk, 2C] expected", {q, kv});
  }
  if (kv[1] < 1) fail("attention", "at least one key expected", {q, kv});
  if (num_heads < 1 || q[2] % num_heads != 0) {
    fail("attention", std::to_string(num_heads) + " heads do not divide the channels", {q});
  }
  return q;
}

/// x [N, H, W, C] with the angles of half of one head's channels, each twice: [C / num_heads].
inline Shape rotary(const Shape& x, const Shape& angle, int num_heads) {
  if (x.rank() != 4 || num_heads < 1 || x[3] % num_heads != 0 || angle.numel() * num_heads != x[3] ||
      angle.numel() % 2 != 0) {
    fail("rotary",
         "[N, H, W, C] and [C / " + std::to_string(num_heads) + "] expected, an even number of angles",
         {x, angle});
  }
  return x;
}

/// q, k, v [N, H, W, C]; depth [N, H, W, 1]; weight of 2 elements; decay [num_heads].
inline Shape geometry_attention(const Shape& q, const Shape& k, const Shape& v, const Shape& depth,
                                const Shape& weight, const Shape& decay, int num_heads) {
  if (q.rank() != 4 || !(q == k) || !(q == v)) {
    fail("geometry_attention", "queries, keys and values must all be [N, H, W, C]", {q, k, v});
  }
  if (!(depth == q.with_back(1))) {
    fail("geometry_attention", "depth must be [N, H, W, 1] on the token grid", {q, depth});
  }
  if (num_heads < 1 || q[3] % num_heads != 0 || decay.numel() != num_heads || weight.numel() != 2) {
    fail("geometry_attention", std::to_string(num_heads) + " heads, a decay each and two weights expected",
         {q, decay, weight});
  }
  return q;
}

/// x [N, T, D], bases [N, D, R], or [1, D, R] for all images; gives x's shape.
inline Shape nmf(const Shape& x, const Shape& bases, int steps) {
  if (x.rank() != 3 || bases.rank() != 3 || (bases[0] != 1 && x[0] != bases[0]) || x[2] != bases[1]) {
    fail("nmf", "input [N, T, D] and bases [N, D, R] or [1, D, R] expected", {x, bases});
  }
  if (bases[2] < 1) fail("nmf", "at least one basis vector expected", {x, bases});
  if (steps < 0) throw_argument_error("[nmf] steps must be 0 or more, got " + std::to_string(steps));
  return x;
}

}  // namespace dformer::shapes
