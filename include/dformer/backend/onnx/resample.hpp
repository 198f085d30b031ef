#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <dformer/backend/onnx/layout.hpp>
#include <dformer/backend/onnx/pointwise.hpp>
#include <dformer/backend/onnx/tables.hpp>
#include <dformer/backend/shapes.hpp>

namespace dformer::onnx {

struct ResampleOps {
  /// ONNX has no adaptive pooling; its averages are a product with a matrix for each axis.
  static Tensor adaptive_avg_pool(std::span<const Tensor> inputs, std::int64_t height, std::int64_t width) {
    const Shape x = concat_shape(inputs, "adaptive_avg_pool");
    const Shape shape = shapes::resized("adaptive_avg_pool", x, height, width);
    Recorder& recorder = inputs[0].recorder();
    const std::string rows = recorder.constant("pooling_rows", {height, x[1]}, pooling_matrix(x[1], height));
    const std::string columns =
        transposed(recorder, "",
                   recorder.constant("pooling_columns", {width, x[2]}, pooling_matrix(x[2], width)), {1, 0});
    std::vector<Tensor> pooled;
    for (const Tensor& input : inputs) {
      const std::string& module = input.module();
      const std::string across =
          recorder.add("MatMul", module, {name_in(input, Order::channels_first), columns});
      pooled.push_back(result(input, shape.with_back(input.shape().back()), Order::channels_first,
                              recorder.add("MatMul", module, {rows, across}), module));
    }
    return result(inputs[0], shape, Order::channels_first, concatenated(pooled, Order::channels_first),
                  inputs[0].module());
  }

  static Tensor resize_bilinear(const Tensor& x, std::int64_t height, std::int64_t width,
                                bool align_corners) {
    const Shape shape = shapes::resized("resize_bilinear", x.shape(), height, width);
    if (shape == x.shape()) return x;
    return result(x, shape, Order::channels_first, resized(x, height, width, align_corners), x.module());
  }

  /// Labels are int32, which every runtime has.
  static Tensor resize_argmax(const Tensor& logits, std::int64_t height, std::int64_t width) {
    const Shape shape = shapes::labels("resize_argmax", logits.shape(), height, width);
    Recorder& recorder = logits.recorder();
    const Tensor scores = resize_bilinear(logits, height, width, false);
    const std::string best = recorder.add("ArgMax", "", {name_in(scores, Order::channels_first)},
                                          {{"axis", std::int64_t{1}}, {"keepdims", std::int64_t{0}}});
    constexpr std::int64_t int32 = 6;  // in ONNX's numbering of types
    return result(logits, shape, Order::channels_last, recorder.add("Cast", "", {best}, {{"to", int32}}), "");
  }
  static void labels_to_host(const Tensor&, std::span<std::uint8_t>) {
    throw_argument_error("[onnx] a network of the Onnx backend is recorded, not run: there are no labels");
  }

 private:
  /// The extents of the result begin with those of x, of which the first may be open.
  static std::string resized(const Tensor& x, std::int64_t height, std::int64_t width, bool align_corners) {
    Recorder& recorder = x.recorder();
    const std::string name = name_in(x, Order::channels_first);
    const std::string kept =
        recorder.add("Shape", x.module(), {name}, {{"start", std::int64_t{0}}, {"end", std::int64_t{2}}});
    const std::string sizes = recorder.add("Concat", x.module(), {kept, recorder.integers({height, width})},
                                           {{"axis", std::int64_t{0}}});
    const std::string rule = align_corners ? "align_corners" : "half_pixel";
    return recorder.add("Resize", x.module(), {name, "", "", sizes},
                        {{"mode", std::string("linear")}, {"coordinate_transformation_mode", rule}});
  }
};

}  // namespace dformer::onnx
