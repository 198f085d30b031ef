#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <dformer/backend/epilogue.hpp>
#include <dformer/backend/onnx/layout.hpp>
#include <dformer/backend/shapes.hpp>

namespace dformer::onnx {

/// The nodes of an activation. GELU is written as PyTorch's exporter writes it, which runtimes recognise and
/// run as one kernel.
inline std::string activated(Recorder& recorder, std::string_view module, const std::string& x,
                             Activation activation) {
  switch (activation) {
    case Activation::none:
      return x;
    case Activation::relu:
      return recorder.add("Relu", module, {x});
    case Activation::sigmoid:
      return recorder.add("Sigmoid", module, {x});
    case Activation::gelu:
      break;
  }
  const std::string scaled = recorder.add("Div", module, {x, recorder.scalar("sqrt_2", std::sqrt(2.0f))});
  const std::string erf = recorder.add("Erf", module, {scaled});
  const std::string raised = recorder.add("Add", module, {erf, recorder.scalar("one", 1.0f)});
  const std::string product = recorder.add("Mul", module, {x, raised});
  return recorder.add("Mul", module, {product, recorder.scalar("half", 0.5f)});
}

/// Several values as one, joined along their channels.
inline std::string concatenated(std::span<const Tensor> inputs, Order order) {
  std::vector<std::string> names;
  for (const Tensor& input : inputs) names.push_back(name_in(inputs[0].recorder(), input, order));
  if (names.size() == 1) return names[0];
  return inputs[0].recorder().add("Concat", inputs[0].module(), names,
                                  {{"axis", channel_axis(inputs[0].shape(), order)}});
}

/// The shape of inputs taken as concatenated.
inline Shape concat_shape(std::span<const Tensor> inputs, const char* op) {
  std::vector<Shape> all;
  for (const Tensor& input : inputs) all.push_back(input.shape());
  return shapes::concat(all, op);
}

struct PointwiseOps {
  static Tensor activate(const Tensor& x, Activation activation) {
    const Order order = x.value()->order;
    return result(x, x.shape(), order, activated(x.recorder(), x.module(), name_in(x, order), activation),
                  x.module());
  }
  static Tensor add(const Tensor& a, const Tensor& b) { return binary("Add", "add", a, b); }
  static Tensor multiply(const Tensor& a, const Tensor& b) { return binary("Mul", "multiply", a, b); }

  static Tensor concat(std::span<const Tensor> inputs) {
    const Shape shape = concat_shape(inputs, "concat");
    const Order order = inputs[0].value()->order;
    return result(inputs[0], shape, order, concatenated(inputs, order), inputs[0].module());
  }

  /// A Slice of the channels that there are, and a Pad where others are asked for.
  static Tensor select_channels(const Tensor& x, std::int64_t first, std::int64_t count) {
    const Shape shape = shapes::select_channels(x.shape(), first, count);
    const Order order = x.value()->order;
    const std::int64_t channels = x.shape().back(), axis = channel_axis(x.shape(), order);
    const std::int64_t begin = std::clamp<std::int64_t>(first, 0, channels);
    const std::int64_t end = std::clamp<std::int64_t>(first + count, begin, channels);
    Recorder& recorder = x.recorder();
    std::string y = name_in(x, order);
    if (end - begin < channels) {
      y = recorder.add("Slice", x.module(),
                       {y, recorder.integers({begin}), recorder.integers({end}), recorder.integers({axis})});
    }
    if (end - begin < count) {
      const std::int64_t before = begin == end ? 0 : begin - first;
      std::vector<std::int64_t> pads(2 * static_cast<std::size_t>(shape.rank()));
      pads[static_cast<std::size_t>(axis)] = before;
      pads[static_cast<std::size_t>(shape.rank() + axis)] = count - (end - begin) - before;
      y = recorder.add("Pad", x.module(), {y, recorder.integers(pads)});
    }
    return result(x, shape, order, y, x.module());
  }

  /// Over the channels.
  static Tensor softmax(const Tensor& x) {
    const Order order = x.value()->order;
    return result(x, x.shape(), order,
                  x.recorder().add("Softmax", x.module(), {name_in(x, order)},
                                   {{"axis", channel_axis(x.shape(), order)}}),
                  x.module());
  }

  static Tensor gate(const Tensor& x, const Tensor& spatial, const Tensor& channel, float scale) {
    const Shape shape = shapes::gate(x.shape(), spatial.shape(), channel.shape());
    const Order order = x.value()->order;
    Recorder& recorder = x.recorder();
    const std::string& module = spatial.module();
    const std::string name = name_in(x, order);
    const auto multiplied = [&](const std::string& a, const std::string& b) {
      return recorder.add("Mul", module, {a, b});
    };
    const std::string sums = recorder.add("ReduceSum", module,
                                          {multiplied(name, name_in(recorder, spatial, order)),
                                           recorder.integers({channel_axis(shape, order)})});
    const std::string map =
        recorder.add("Sigmoid", module, {multiplied(sums, recorder.scalar("gate_scale", scale))});
    return result(x, shape, order, multiplied(multiplied(name, map), name_in(recorder, channel, order)),
                  module);
  }

 private:
  static Tensor binary(std::string_view node, const char* op, const Tensor& a, const Tensor& b) {
    const Shape shape = shapes::same(op, a.shape(), b.shape());
    const Order order = a.value()->order;
    Recorder& recorder = a.recorder();
    return result(a, shape, order,
                  recorder.add(node, a.module(), {name_in(recorder, a, order), name_in(recorder, b, order)}),
                  a.module());
  }
};

}  // namespace dformer::onnx
