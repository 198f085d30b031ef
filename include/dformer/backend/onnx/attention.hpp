#pragma once

#include <cstdint>
#include <numeric>
#include <string>
#include <vector>

#include <dformer/backend/onnx/layout.hpp>
#include <dformer/backend/onnx/tables.hpp>
#include <dformer/backend/shapes.hpp>

namespace dformer::onnx {

struct AttentionOps {
  /// Heads are a part of the channels, so with channels first no value moves but for the two transpositions
  /// that the products need.
  static Tensor attention(const Tensor& q, const Tensor& kv, int num_heads, float scale) {
    const Shape shape = shapes::attention(q.shape(), kv.shape(), num_heads);
    Recorder& recorder = q.recorder();
    const std::string& module = kv.module();
    const std::int64_t heads = num_heads;
    const std::int64_t head_dim = shape[2] / heads;
    const std::string queries =
        reshaped(recorder, module, name_in(q, Order::channels_first), {0, heads, head_dim, shape[1]});
    const std::string both = reshaped(recorder, module, name_in(recorder, kv, Order::channels_first),
                                      {0, 2 * heads, head_dim, kv.shape()[1]});
    const auto part = [&](std::int64_t begin, std::int64_t end) {
      return recorder.add(
          "Slice", module,
          {both, recorder.integers({begin}), recorder.integers({end}), recorder.integers({1})});
    };
    const std::string scaled = recorder.add(
        "Mul", module, {swapped(recorder, module, queries), recorder.scalar("attention_scale", scale)});
    const std::string scores = recorder.add("MatMul", module, {scaled, part(0, heads)});
    const std::string weights = recorder.add("Softmax", module, {scores}, {{"axis", std::int64_t{-1}}});
    const std::string values = swapped(recorder, module, part(heads, 2 * heads));
    const std::string attended =
        swapped(recorder, module, recorder.add("MatMul", module, {weights, values}));  // [N, heads, dim, Tq]
    return result(q, shape, Order::channels_first,
                  reshaped(recorder, module, attended, reshape_dims(dims_of(shape, Order::channels_first))),
                  module);
  }

  /// x * cosines + (x with the channels of each pair exchanged) * sines. The angles must be a constant.
  static Tensor rotary(const Tensor& x, const Tensor& angle, int num_heads, float scale) {
    const Shape shape = shapes::rotary(x.shape(), angle.shape(), num_heads);
    if (!angle.is_constant()) throw_argument_error("[rotary] the Onnx backend takes constant angles only");
    Recorder& recorder = x.recorder();
    const std::string& module = angle.module();
    const std::int64_t height = shape[1], width = shape[2], head_dim = shape[3] / num_heads;
    RotaryTables tables = rotary_tables(*angle.value()->elements, height * width, scale);
    const std::vector<std::int64_t> grid{head_dim, height, width};
    const std::string cosine = recorder.constant("rotary_cosine", grid, std::move(tables.cosine));
    const std::string sine = recorder.constant("rotary_sine", grid, std::move(tables.sine));
    std::vector<std::int64_t> neighbours(static_cast<std::size_t>(head_dim));
    for (std::size_t i = 0; i < neighbours.size(); ++i) neighbours[i] = static_cast<std::int64_t>(i ^ 1u);

    const std::string heads = reshaped(recorder, module, name_in(x, Order::channels_first),
                                       {0, num_heads, head_dim, height, width});
    const std::string exchanged =
        recorder.add("Gather", module, {heads, recorder.integers(neighbours)}, {{"axis", std::int64_t{2}}});
    const std::string turned = recorder.add(
        "Add", module,
        {recorder.add("Mul", module, {heads, cosine}), recorder.add("Mul", module, {exchanged, sine})});
    return result(x, shape, Order::channels_first,
                  reshaped(recorder, module, turned, reshape_dims(dims_of(shape, Order::channels_first))),
                  x.module());
  }

 private:
  /// [N, heads, a, b] as [N, heads, b, a].
  static std::string swapped(Recorder& recorder, const std::string& module, const std::string& name) {
    return transposed(recorder, module, name, {0, 1, 3, 2});
  }
};

}  // namespace dformer::onnx
