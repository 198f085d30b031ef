#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <string>

#include <dformer/backend/gradients.hpp>
#include <dformer/backend/shapes.hpp>

/// The checks of the gradients' operands, once for all backends; each function returns the shape of the
/// operation's result, or the one that its arrow points to. Throws: as shapes.hpp.
namespace dformer::shapes {

/// The gradient of a result has the result's shape.
inline void require_result(const char* op, const Shape& result, const Shape& dy) {
  if (!(result == dy)) fail(op, "dy must have the shape of the result, " + to_string(result), {dy});
}

/// dy [..., O], weight [O, I] (or [O, I, 1, 1]) -> [..., I].
inline Shape linear_input(const Shape& dy, const Shape& weight) {
  const bool pointwise = weight.rank() == 4 && weight[2] == 1 && weight[3] == 1;
  if (weight.rank() != 2 && !pointwise) {
    fail("linear_input", "weight must be [O, I] or [O, I, 1, 1]", {weight});
  }
  if (dy.rank() < 1 || dy.back() != weight[0]) {
    fail("linear_input", std::to_string(weight[0]) + " output channels expected", {dy, weight});
  }
  return dy.with_back(weight[1]);
}

/// x [..., I], dy [..., O] -> weight [O, I] (or [O, I, 1, 1]).
inline Shape linear_weight(const Shape& x, const Shape& dy, const Shape& weight) {
  shapes::weight(WeightLayout::dense, weight);
  require_result("linear_weight", linear(x, weight), dy);
  return weight;
}

/// dy [N, H', W', O], weight [O, I, k, k] -> x [N, H, W, I].
inline Shape conv2d_input(const Shape& dy, const Shape& weight, const Window& window, const Shape& x) {
  require_result("conv2d_input", conv2d(x, weight, window), dy);
  return x;
}

/// x [N, H, W, I], dy [N, H', W', O] -> weight [O, I, k, k].
inline Shape conv2d_weight(const Shape& x, const Shape& dy, const Window& window, const Shape& weight) {
  shapes::weight(WeightLayout::dense, weight);
  require_result("conv2d_weight", conv2d(x, weight, window), dy);
  return weight;
}

/// dy [N, H', W', C], weight [C, 1, k, k] -> x [N, H, W, C].
inline Shape depthwise_conv2d_input(const Shape& dy, const Shape& weight, const Window& window,
                                    const Shape& x) {
  require_result("depthwise_conv2d_input", depthwise_conv2d(x, weight, window), dy);
  return x;
}

/// x [N, H, W, C], dy [N, H', W', C] -> weight [C, 1, k, k].
inline Shape depthwise_conv2d_weight(const Shape& x, const Shape& dy, const Window& window,
                                     const Shape& weight) {
  shapes::weight(WeightLayout::depthwise, weight);
  require_result("depthwise_conv2d_weight", depthwise_conv2d(x, weight, window), dy);
  return weight;
}

/// x [..., C] with at least one row.
inline Shape filled_rows(const char* op, const Shape& x) {
  if (x.rank() < 1 || x.numel() < 1) fail(op, "input must be [..., C] and not empty", {x});
  return x;
}

/// x [..., C] and dy of one shape, and one value a channel.
inline Shape norm_gradient(const char* op, const Shape& x, const Shape& weight, const Shape& dy) {
  per_channel(op, filled_rows(op, x), weight);
  return same(op, x, dy);
}

/// Two tensors of one shape, with the elements in one order.
template <class Tensor>
void same_layout(const char* op, const Tensor& a, const Tensor& b) {
  same(op, a.shape(), b.shape());
  if (a.elements() == b.elements()) return;
  fail(op,
       "operands must have one layout, but keep " + std::to_string(a.elements()) + " and " +
           std::to_string(b.elements()) + " elements in memory",
       {a.shape(), b.shape()});
}

/// x [N, ..., C] and a factor for each sample, or for each channel of each sample.
inline Shape scale_samples(const Shape& x, std::size_t factors) {
  const auto count = static_cast<std::int64_t>(factors);
  if (x.rank() < 2 || (count != x[0] && count != x[0] * x.back())) {
    fail("scale_samples",
         std::to_string(count) + " factors given; N or N * C expected for an input [N, ..., C]", {x});
  }
  return x;
}

/// x [..., C], and the channels of the pieces, which add up to C.
inline Shape split(const Shape& x, std::span<const std::int64_t> channels) {
  std::int64_t total = 0;
  bool positive = true;
  std::string given;
  for (const std::int64_t count : channels) {
    total += count;
    positive = positive && count > 0;
    given += (given.empty() ? "" : " + ") + std::to_string(count);
  }
  if (x.rank() < 1 || !positive || total != x.back()) {
    fail("split", "pieces of " + given + " channels do not make up the input", {x});
  }
  return x;
}

/// logits [N, h, w, K] with labels [N, height, width]. Throws: also ArgumentError for options that do not
/// fit.
inline void cross_entropy(const Shape& logits, std::size_t label_count, std::int64_t height,
                          std::int64_t width, const CrossEntropyOptions& options) {
  const Shape shape = labels("cross_entropy", logits, height, width);
  if (static_cast<std::int64_t>(label_count) != shape.numel()) {
    fail("cross_entropy",
         std::to_string(label_count) + " labels given; one for each pixel of the labels' shape expected",
         {logits, shape});
  }
  if (!options.class_weight.empty() && static_cast<std::int64_t>(options.class_weight.size()) != logits[3]) {
    throw_argument_error("[cross_entropy] a weight for each of the " + std::to_string(logits[3]) +
                         " classes expected, or none; got " + std::to_string(options.class_weight.size()));
  }
  if (!(options.label_smoothing >= 0.0f && options.label_smoothing <= 1.0f)) {
    throw_argument_error("[cross_entropy] label_smoothing must be from 0 to 1, got " +
                         std::to_string(options.label_smoothing));
  }
}

/// Every label must be a class or ignored; `counts` says how often each occurs. Throws: ArgumentError.
inline void cross_entropy_labels(const std::array<std::int64_t, 256>& counts,
                                 std::span<const std::uint8_t> labels, std::int64_t classes,
                                 std::int64_t height, std::int64_t width,
                                 const CrossEntropyOptions& options) {
  for (std::size_t label = static_cast<std::size_t>(classes); label < counts.size(); ++label) {
    if (counts[label] == 0 || static_cast<int>(label) == options.ignore_index) continue;
    const std::int64_t at = std::find(labels.begin(), labels.end(), label) - labels.begin();
    throw_argument_error(
        "[cross_entropy] label " + std::to_string(label) + " at image " +
        std::to_string(at / (height * width)) + ", row " + std::to_string(at / width % height) + ", column " +
        std::to_string(at % width) + " is none of the " + std::to_string(classes) +
        " classes, which count from 0, nor the ignored " + std::to_string(options.ignore_index));
  }
}

inline Shape attention_gradient(const Shape& q, const Shape& kv, int num_heads, const Shape& dy) {
  return same("attention gradient", attention(q, kv, num_heads), dy);
}

inline Shape geometry_attention_gradient(const Shape& q, const Shape& k, const Shape& v, const Shape& depth,
                                         const Shape& weight, const Shape& decay, int num_heads,
                                         const Shape& dy) {
  return same("geometry_attention gradient", geometry_attention(q, k, v, depth, weight, decay, num_heads),
              dy);
}

inline Shape nmf_gradient(const Shape& x, const Shape& bases, int steps, const Shape& dy) {
  return same("nmf gradient", nmf(x, bases, steps), dy);
}

}  // namespace dformer::shapes
