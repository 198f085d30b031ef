// What operations write, as plain values: kinds and names of nodes, layouts, constants.
#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

#include <dformer/backend/onnx/onnx.hpp>
#include <dformer/core/error.hpp>

namespace dformer {
namespace {

using Dims = std::vector<std::int64_t>;
using onnx::Attribute;
using onnx::Order;

class Recorded : public ::testing::Test {
 protected:
  onnx::Tensor input(const Shape& shape) {
    const std::string name = "x" + std::to_string(recorder_.graph().inputs.size());
    recorder_.input({name, onnx::ElementType::float32, {}});
    return onnx::Tensor(onnx::Device(recorder_), shape, {.name = name, .order = Order::channels_first});
  }
  static onnx::Tensor weight(const std::string& name, const Shape& shape,
                             WeightLayout layout = WeightLayout::plain) {
    std::vector<float> values(static_cast<std::size_t>(shape.numel()));
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i) + 0.5f;
    const onnx::Tensor tensor = Onnx::weight_from_host(Onnx::default_device(), layout, shape, values);
    onnx::set_name(tensor, name);
    return tensor;
  }

  std::vector<std::string> names() {
    std::vector<std::string> result;
    for (const onnx::Node& node : recorder_.graph().nodes) result.push_back(node.name);
    return result;
  }
  const onnx::Node& node(const std::string& name) {
    const auto& nodes = recorder_.graph().nodes;
    const auto found = std::ranges::find(nodes, name, &onnx::Node::name);
    if (found == nodes.end()) throw Error("no node " + name);
    return *found;
  }
  template <class T>
  T attribute(const std::string& node_name, const std::string& name) {
    const auto& all = node(node_name).attributes;
    return std::get<T>(std::ranges::find(all, name, &Attribute::name)->value);
  }
  const onnx::Initializer& initializer(const std::string& name) {
    const auto& all = recorder_.graph().initializers;
    const auto found = std::ranges::find(all, name, &onnx::Initializer::name);
    if (found == all.end()) throw Error("no initializer " + name);
    return *found;
  }
  const std::vector<float>& floats(const std::string& name) {
    return *std::get<onnx::Recorder::Values>(initializer(name).values);
  }

  onnx::Recorder recorder_;
};

using Names = std::vector<std::string>;

TEST_F(Recorded, LinearIsAConvolutionWithItsWeightAndBias) {
  const onnx::Tensor x[] = {input({1, 4, 6, 3})};
  const onnx::Tensor kernel = weight("a.q.weight", {5, 3}, WeightLayout::dense);
  const onnx::Tensor y = Onnx::linear(x, kernel, {.shift = weight("a.q.bias", {5})});
  EXPECT_EQ(y.shape(), (Shape{1, 4, 6, 5}));
  EXPECT_EQ(names(), Names{"a.q/Conv"});
  EXPECT_EQ(node("a.q/Conv").inputs, (Names{"x0", "a.q.weight", "a.q.bias"}));
  EXPECT_EQ(initializer("a.q.weight").dims, (Dims{5, 3, 1, 1}));
  EXPECT_EQ(floats("a.q.weight"), *kernel.value()->elements);
}

TEST_F(Recorded, LinearOfRowsIsAMatrixProduct) {
  const onnx::Tensor x[] = {input({7, 3})};
  const onnx::Tensor y = Onnx::linear(x, weight("fc.weight", {5, 3}, WeightLayout::dense), {});
  EXPECT_EQ(y.shape(), (Shape{7, 5}));
  EXPECT_EQ(names(), Names{"fc/Gemm"});
  EXPECT_EQ(attribute<std::int64_t>("fc/Gemm", "transB"), 1);
  EXPECT_EQ(initializer("fc.weight").dims, (Dims{5, 3}));
}

TEST_F(Recorded, InputsOfALinearLayerAreJoinedAlongTheirChannels) {
  const onnx::Tensor x[] = {input({1, 4, 6, 3}), input({1, 4, 6, 2})};
  Onnx::linear(x, weight("proj.weight", {5, 5}, WeightLayout::dense), {});
  EXPECT_EQ(names(), (Names{"Concat", "proj/Conv"}));
  EXPECT_EQ(attribute<std::int64_t>("Concat", "axis"), 1);
}

TEST_F(Recorded, EpilogueInItsOrder) {
  const onnx::Tensor x = input({1, 4, 6, 3}), m = input({1, 4, 6, 3}), r = input({1, 4, 6, 3});
  Onnx::depthwise_conv2d(x, weight("c.weight", {3, 1, 3, 3}, WeightLayout::depthwise),
                         {.kernel = 3, .padding = 1},
                         {.shift = weight("c.bias", {3}),
                          .activation = Activation::relu,
                          .multiply = m,
                          .layer_scale = weight("gamma", {3}),
                          .residual = r,
                          .final_activation = Activation::sigmoid});
  EXPECT_EQ(names(), (Names{"c/Conv", "c/Relu", "c/Mul", "c/Mul_1", "c/Add", "c/Sigmoid"}));
  EXPECT_EQ(attribute<std::int64_t>("c/Conv", "group"), 3);
  EXPECT_EQ(attribute<Dims>("c/Conv", "pads"), (Dims{1, 1, 1, 1}));
  EXPECT_EQ(node("c/Mul").inputs[1], "x1");
  EXPECT_EQ(node("c/Mul_1").inputs[1], "gamma");
  EXPECT_EQ(initializer("gamma").dims, (Dims{3, 1, 1}));
  EXPECT_EQ(node("c/Add").inputs[1], "x2");
}

TEST_F(Recorded, GeluIsErf) {
  Onnx::activate(input({1, 4, 6, 3}), Activation::gelu);
  EXPECT_EQ(names(), (Names{"Div", "Erf", "Add", "Mul", "Mul_1"}));
  EXPECT_EQ(floats("sqrt_2"), std::vector<float>{1.41421356f});
}

struct Norm {
  onnx::Tensor weight, bias, mean, variance;
  Affine<onnx::Tensor> affine() const { return Onnx::batch_norm_affine(weight, bias, mean, variance, 1e-3f); }
};

TEST_F(Recorded, ScaleAndShiftOfANormAreThatNorm) {
  const Norm norm{weight("bn.weight", {2}), weight("bn.bias", {2}), weight("bn.running_mean", {2}),
                  weight("bn.running_var", {2})};
  const auto affine = norm.affine();
  const onnx::Tensor bias = weight("conv.bias", {2});
  Onnx::conv2d(input({1, 4, 6, 3}), weight("conv.weight", {2, 3, 3, 3}, WeightLayout::dense),
               {.kernel = 3, .stride = 2, .padding = 1},
               {.scale = affine.scale, .shift = Onnx::scale_shift(bias, affine.scale, affine.shift)});
  EXPECT_EQ(names(), (Names{"conv/Conv", "bn/BatchNormalization"}));
  EXPECT_EQ(node("conv/Conv").inputs, (Names{"x0", "conv.weight", "conv.bias"}));
  EXPECT_EQ(node("bn/BatchNormalization").inputs,
            (Names{"conv/Conv", "bn.weight", "bn.bias", "bn.running_mean", "bn.running_var"}));
  EXPECT_EQ(attribute<float>("bn/BatchNormalization", "epsilon"), 1e-3f);
  EXPECT_EQ(attribute<Dims>("conv/Conv", "strides"), (Dims{2, 2}));
}

TEST_F(Recorded, ScaleOfANormWithAnotherShiftIsAScaleAndAShift) {
  const Norm norm{weight("bn.weight", {1}), weight("bn.bias", {1}), weight("bn.running_mean", {1}),
                  weight("bn.running_var", {1})};
  const onnx::Tensor x = input({1, 4, 6, 1});
  Onnx::scale_shift(x, norm.affine().scale, weight("other", {1}));
  EXPECT_EQ(names(), (Names{"Mul", "Add"}));
  EXPECT_NEAR(floats("bn.scale")[0], 0.5 / std::sqrt(0.501), 1e-6);
}

TEST_F(Recorded, ALayerNormIsTransposedOnceEachWay) {
  const onnx::Tensor x = input({1, 4, 6, 3});
  const onnx::Tensor y = Onnx::layer_norm(x, weight("n.weight", {3}), weight("n.bias", {3}), 1e-6f);
  const onnx::Tensor inputs[] = {y};
  Onnx::linear(inputs, weight("q.weight", {5, 3}, WeightLayout::dense), {});
  Onnx::linear(inputs, weight("k.weight", {5, 3}, WeightLayout::dense), {});
  EXPECT_EQ(names(), (Names{"Transpose", "n/LayerNormalization", "n/Transpose", "q/Conv", "k/Conv"}));
  EXPECT_EQ(attribute<Dims>("Transpose", "perm"), (Dims{0, 2, 3, 1}));
  EXPECT_EQ(attribute<Dims>("n/Transpose", "perm"), (Dims{0, 3, 1, 2}));
  EXPECT_EQ(attribute<float>("n/LayerNormalization", "epsilon"), 1e-6f);
}

TEST_F(Recorded, ReshapeKeepsChannelsWhereTheyAreAndTheNumberOfImagesOpen) {
  const onnx::Tensor x = input({2, 4, 6, 3});
  const onnx::Tensor rows = Onnx::reshape(x, {2, 24, 3});
  EXPECT_EQ(names(), Names{"Reshape"});
  EXPECT_EQ(std::get<Dims>(initializer(node("Reshape").inputs[1]).values), (Dims{0, 3, 24}));
  EXPECT_THROW(Onnx::reshape(rows, {48, 3}), ShapeError);
  EXPECT_THROW(Onnx::reshape(rows, {2, 24, 4}), ShapeError);
}

TEST_F(Recorded, ResizeKeepsTheNumberOfImagesOpen) {
  const onnx::Tensor x = input({2, 4, 6, 3});
  EXPECT_EQ(Onnx::resize_bilinear(x, 8, 13, false).shape(), (Shape{2, 8, 13, 3}));
  EXPECT_EQ(names(), (Names{"Shape", "Concat", "Resize"}));
  EXPECT_EQ(std::get<Dims>(initializer(node("Concat").inputs[1]).values), (Dims{8, 13}));
  EXPECT_EQ(attribute<std::string>("Resize", "coordinate_transformation_mode"), "half_pixel");
  EXPECT_EQ(Onnx::resize_bilinear(x, 4, 6, false).value(), x.value());
}

TEST_F(Recorded, ResizeArgmaxGivesInt32) {
  EXPECT_EQ(Onnx::resize_argmax(input({1, 4, 6, 3}), 8, 12).shape(), (Shape{1, 8, 12}));
  EXPECT_EQ(names(), (Names{"Shape", "Concat", "Resize", "ArgMax", "Cast"}));
}

TEST_F(Recorded, AdaptivePoolingIsAProductOnEachAxis) {
  const onnx::Tensor x[] = {input({1, 5, 2, 3})};
  EXPECT_EQ(Onnx::adaptive_avg_pool(x, 2, 3).shape(), (Shape{1, 2, 3, 3}));
  EXPECT_EQ(names(), (Names{"Transpose", "MatMul", "MatMul_1"}));
  const float third = 1.0f / 3.0f;
  EXPECT_EQ(floats("pooling_rows"),
            (std::vector<float>{third, third, third, 0, 0, 0, 0, third, third, third}));
  EXPECT_EQ(floats("pooling_columns"), (std::vector<float>{1, 0, 0.5f, 0.5f, 0, 1}));
}

TEST_F(Recorded, RotaryTurnsPairsByTheTokensIndex) {
  const onnx::Tensor angle = Onnx::from_host({}, {2}, std::vector<float>{0.5f, 0.5f});
  Onnx::rotary(input({1, 1, 3, 4}), angle, 2, 2.0f);
  ASSERT_EQ(initializer("rotary_cosine").dims, (Dims{2, 1, 3}));
  for (int token = 0; token < 3; ++token) {
    const auto at = static_cast<std::size_t>(token);
    EXPECT_FLOAT_EQ(floats("rotary_cosine")[at], 2.0f * std::cos(0.5f * static_cast<float>(token)));
    EXPECT_FLOAT_EQ(floats("rotary_sine")[at], -2.0f * std::sin(0.5f * static_cast<float>(token)));
    EXPECT_FLOAT_EQ(floats("rotary_sine")[3 + at], 2.0f * std::sin(0.5f * static_cast<float>(token)));
  }
  EXPECT_EQ(std::get<Dims>(initializer(node("Gather").inputs[1]).values), (Dims{1, 0}));
}

TEST_F(Recorded, BlocksOfAStageShareTheirDistances) {
  const onnx::Tensor q = input({1, 2, 3, 4}), depth = input({1, 2, 3, 1});
  for (const char* block : {"a", "b"}) {
    const std::string path(block);
    const GeometryPrior<onnx::Tensor> prior{depth, weight(path + ".weight", {2, 1, 1, 1}),
                                            weight(path + ".decay", {2})};
    Onnx::geometry_attention(q, q, q, prior, 2, GeometryAttention::full);
  }
  const auto count = [&](const std::string& op) {
    return std::ranges::count(recorder_.graph().nodes, op, &onnx::Node::op);
  };
  EXPECT_EQ(count("Abs"), 1);
  EXPECT_EQ(count("Softmax"), 2);
  EXPECT_EQ(initializer("grid_distances").dims, (Dims{6, 6}));
  EXPECT_EQ(floats("grid_distances")[5], 3.0f);  // from (0, 0) to (1, 2)
}

TEST_F(Recorded, NmfWritesEveryStep) {
  const onnx::Tensor bases = Onnx::from_host({}, {1, 4, 2}, std::vector<float>(8, 1.0f));
  EXPECT_EQ(Onnx::nmf(input({1, 6, 4}), bases, 3, 1.0f).shape(), (Shape{1, 6, 4}));
  const auto divisions = std::ranges::count(recorder_.graph().nodes, "Div", &onnx::Node::op);
  EXPECT_EQ(divisions, 3 * 2 + 1);
}

TEST_F(Recorded, AWeightThatIsUsedWithOtherExtentsIsReshaped) {
  const onnx::Tensor w = weight("w", {3});
  EXPECT_EQ(onnx::per_channel(recorder_, w, 4, Order::channels_first), "w");
  EXPECT_EQ(initializer("w").dims, (Dims{3, 1, 1}));
  const std::string plain = onnx::per_channel(recorder_, w, 4, Order::channels_last);
  EXPECT_EQ(node(plain).op, "Reshape");
  EXPECT_EQ(recorder_.graph().initializers.size(), 2u);  // w, and the extents
}

TEST_F(Recorded, RejectsWhatEveryBackendRejects) {
  const onnx::Tensor x[] = {input({1, 4, 6, 3})};
  EXPECT_THROW(Onnx::linear(x, weight("w", {5, 4}, WeightLayout::dense), {}), ShapeError);
  std::vector<float> out(72);
  EXPECT_THROW(Onnx::to_host(x[0], out), ArgumentError);
  const onnx::Tensor constant = weight("c", {3});
  EXPECT_THROW(Onnx::activate(constant, Activation::relu), ArgumentError);  // belongs to no graph
}

}  // namespace
}  // namespace dformer
