// A network as a graph: its inputs, its output, its parameters, and what cannot be recorded or written.
#include <algorithm>
#include <filesystem>
#include <string>
#include <variant>

#include <gtest/gtest.h>

#include <dformer/heads/mlp_head.hpp>
#include <dformer/models/onnx_graph.hpp>
#include <dformer/models/segmenter.hpp>
#include <dformer/nn/initialize.hpp>
#include <dformer/stages/dformer.hpp>

namespace dformer {
namespace {

constexpr DFormerConfig mini{
    .dims = {8, 16, 24, 32}, .depths = {1, 1, 1, 2}, .num_heads = {1, 2, 2, 4}, .mlp_ratios = {2, 2, 2, 2}};
using Mini = Segmenter<Onnx, DFormer<Onnx, mini>, MlpHead<Onnx, 8, 16, 24, 32, 5, 16>>;

onnx::Graph graph_of(const OnnxOptions& options) {
  Mini net;
  initialize(net, 1);
  return onnx_graph(net, options, "mini");
}

TEST(OnnxGraph, NamesInputsOutputAndParameters) {
  const onnx::Graph graph = graph_of({.height = 64, .width = 96, .batch = OnnxOptions::any_batch});
  using Extents = std::vector<onnx::Extent>;
  const auto extents = [](std::int64_t c) { return Extents{"batch", c, std::int64_t{64}, std::int64_t{96}}; };
  ASSERT_EQ(graph.inputs.size(), 2u);
  EXPECT_EQ(graph.inputs[0].name, "rgb");
  EXPECT_EQ(graph.inputs[0].extents, extents(3));
  EXPECT_NE(graph.inputs[0].description.find("B, G, R"), std::string::npos);
  EXPECT_EQ(graph.inputs[1].name, "depth");
  EXPECT_EQ(graph.inputs[1].extents, extents(1));
  ASSERT_EQ(graph.outputs.size(), 1u);
  EXPECT_EQ(graph.outputs[0].name, "logits");
  EXPECT_EQ(graph.outputs[0].extents, extents(5));
  EXPECT_EQ(graph.nodes.back().output, "logits");

  Mini net;
  for (const auto& [name, parameter] : parameters(net)) {
    if (parameter->kind() == ParameterKind::counter) continue;
    EXPECT_TRUE(std::ranges::any_of(graph.initializers, [&](const auto& each) { return each.name == name; }))
        << name;
  }
  EXPECT_TRUE(std::ranges::any_of(
      graph.nodes, [](const onnx::Node& node) { return node.name == "backbone.stages.1.0.attn.q/Conv"; }));
}

TEST(OnnxGraph, GivesLabelsOrCoarseScores) {
  const onnx::Graph labels = graph_of({.height = 64, .width = 96, .output = OnnxOutput::labels});
  EXPECT_EQ(labels.outputs[0].name, "labels");
  EXPECT_EQ(labels.outputs[0].type, onnx::ElementType::int32);
  EXPECT_EQ(labels.outputs[0].extents.size(), 3u);
  const onnx::Graph coarse = graph_of({.height = 64, .width = 96, .output = OnnxOutput::coarse_logits});
  EXPECT_EQ(coarse.outputs[0].name, "coarse_logits");
  EXPECT_EQ(std::get<std::int64_t>(coarse.outputs[0].extents[2]), 16);
}

// One network, recorded twice: the second graph is whole and the same.
TEST(OnnxGraph, ANetworkMayBeRecordedAgain) {
  Mini net;
  initialize(net, 1);
  const OnnxOptions options{.height = 64, .width = 64};
  const onnx::Graph first = onnx_graph(net, options), second = onnx_graph(net, options);
  ASSERT_EQ(first.nodes.size(), second.nodes.size());
  ASSERT_EQ(first.initializers.size(), second.initializers.size());
  for (std::size_t i = 0; i < first.nodes.size(); ++i) {
    EXPECT_EQ(first.nodes[i].inputs, second.nodes[i].inputs) << first.nodes[i].name;
  }
}

TEST(OnnxGraph, RefusesWhatCannotBe) {
  EXPECT_THROW(graph_of({.height = 31, .width = 96}), ArgumentError);
  EXPECT_THROW(graph_of({.height = 96, .width = 5000}), ArgumentError);
  EXPECT_THROW(graph_of({.height = 96, .width = 96, .batch = -1}), ArgumentError);
  EXPECT_THROW(onnx_graph(Mini(), OnnxOptions{.height = 64, .width = 64}), UnsetParameterError);
}

}  // namespace
}  // namespace dformer
