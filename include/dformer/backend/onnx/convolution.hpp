#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <dformer/backend/onnx/epilogue.hpp>
#include <dformer/backend/onnx/layout.hpp>
#include <dformer/backend/onnx/pointwise.hpp>
#include <dformer/backend/shapes.hpp>
#include <dformer/backend/window.hpp>

namespace dformer::onnx {

/// Conv nodes, channels first. A linear layer over images or rows is a convolution of kernel 1 as well: so
/// the values between two convolutions stay as they are, and nothing is done to its weight, which is written
/// as [O, I, 1, 1].
struct ConvolutionOps {
  static Tensor linear(std::span<const Tensor> inputs, const Tensor& weight,
                       const Epilogue<Tensor>& epilogue) {
    const Shape x = concat_shape(inputs, "linear");
    const Shape shape = shapes::linear(x, weight.shape());
    shapes::epilogue("linear", shape, epilogue);
    if (shape.rank() < 3) return matrix_product(inputs, weight, shape, epilogue);
    const std::vector<std::int64_t> window(static_cast<std::size_t>(shape.rank()) - 2, 1);
    std::vector<std::int64_t> kernel{shape.back(), x.back()};
    kernel.insert(kernel.end(), window.begin(), window.end());
    return convolved(inputs, weight, kernel, shape, {{"kernel_shape", window}}, epilogue);
  }

  static Tensor conv2d(const Tensor& x, const Tensor& weight, const Window& window,
                       const Epilogue<Tensor>& epilogue) {
    const Shape shape = shapes::conv2d(x.shape(), weight.shape(), window);
    shapes::epilogue("conv2d", shape, epilogue);
    return convolved({&x, 1}, weight, dims_of(weight.shape(), Order::channels_last), shape,
                     attributes(window, 1), epilogue);
  }

  static Tensor depthwise_conv2d(const Tensor& x, const Tensor& weight, const Window& window,
                                 const Epilogue<Tensor>& epilogue) {
    const Shape shape = shapes::depthwise_conv2d(x.shape(), weight.shape(), window);
    shapes::epilogue("depthwise_conv2d", shape, epilogue);
    return convolved({&x, 1}, weight, dims_of(weight.shape(), Order::channels_last), shape,
                     attributes(window, shape.back()), epilogue);
  }

 private:
  static std::vector<Attribute> attributes(const Window& window, std::int64_t groups) {
    const auto twice = [](int extent) { return std::vector<std::int64_t>(2, extent); };
    return {{"kernel_shape", twice(window.kernel)},
            {"strides", twice(window.stride)},
            {"pads", std::vector<std::int64_t>(4, window.padding)},
            {"dilations", twice(window.dilation)},
            {"group", groups}};
  }

  static Tensor convolved(std::span<const Tensor> inputs, const Tensor& weight,
                          const std::vector<std::int64_t>& kernel, const Shape& shape,
                          std::vector<Attribute> attributes, const Epilogue<Tensor>& epilogue) {
    constexpr Order order = Order::channels_first;
    Recorder& recorder = inputs[0].recorder();
    const Value& value = *weight.value();
    std::vector<std::string> operands{concatenated(inputs, order),
                                      recorder.weight(value.name, value.module, kernel, value.elements)};
    const std::string bias = bias_of(recorder, epilogue);
    if (!bias.empty()) operands.push_back(bias);
    const std::string sums =
        recorder.add("Conv", weight.module(), std::move(operands), std::move(attributes));
    return finished(inputs[0], sums, weight.module(), shape, order, epilogue);
  }

  /// Of rows [T, C] or a single one, for which a convolution has too few axes.
  static Tensor matrix_product(std::span<const Tensor> inputs, const Tensor& weight, const Shape& shape,
                               const Epilogue<Tensor>& epilogue) {
    if (shape.rank() != 2) {
      shapes::fail("linear", "the Onnx backend takes inputs of rank 2 or more", {inputs[0].shape()});
    }
    constexpr Order order = Order::channels_last;
    Recorder& recorder = inputs[0].recorder();
    const Value& value = *weight.value();
    std::vector<std::string> operands{
        concatenated(inputs, order),
        recorder.weight(value.name, value.module, {weight.shape()[0], weight.shape()[1]}, value.elements)};
    const std::string bias = bias_of(recorder, epilogue);
    if (!bias.empty()) operands.push_back(bias);
    const std::string sums =
        recorder.add("Gemm", weight.module(), std::move(operands), {{"transB", std::int64_t{1}}});
    return finished(inputs[0], sums, weight.module(), shape, order, epilogue);
  }
};

}  // namespace dformer::onnx
