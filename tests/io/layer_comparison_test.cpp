#include <map>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "checkpoint_support.hpp"
#include <dformer/io/layer_comparison.hpp>
#include <dformer/io/safetensors_writer.hpp>

namespace dformer {
namespace {

using parity::HostTensor;

/// [2, 2, 3, 4] channels last, every value another; and the same with channels first.
const HostTensor image{{2, 2, 3, 4}, [] {
                         std::vector<float> values(48);
                         for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i);
                         return values;
                       }()};
std::vector<float> image_channels_first() {
  std::vector<float> values;
  for (std::int64_t i = 0; i < 48; ++i) values.push_back(image.at_channels_first(i));
  return values;
}

class Layers : public ::testing::Test {
 protected:
  void add(const std::string& name, const Shape& shape, std::vector<float> values) {
    tensors_.push_back({name, tensor_of(shape, std::move(values))});
  }
  /// How `actual` compares with the arrays so far.
  LayerReport compare(const std::string& name, const HostTensor& actual, double tolerance = 1e-4) {
    const testing::TemporaryFile file("");
    write_safetensors(file.path(), tensors_, metadata_);
    const Checkpoint recorded(file.path());
    LayerComparison comparison(recorded, tolerance);
    comparison.compare(name, actual);
    return comparison.finish();
  }

  std::vector<NamedTensor> tensors_;
  std::map<std::string, std::string> metadata_;
};

TEST_F(Layers, EitherOrderOfAxesIsUnderstood) {
  const std::vector<float> first = image_channels_first();
  const std::vector<std::pair<Shape, std::vector<float>>> forms{
      {{2, 2, 3, 4}, image.values}, {{2, 6, 4}, image.values}, {{2, 4, 2, 3}, first}, {{2, 4, 6}, first}};
  for (const auto& [shape, values] : forms) {
    tensors_.clear();
    add("a.weight", shape, values);
    const LayerReport report = compare("a.weight", image);
    ASSERT_EQ(report.layers.size(), 1u);
    EXPECT_TRUE(report.layers[0].agrees()) << to_string(shape);
    EXPECT_EQ(report.layers[0].max_abs, 0) << to_string(shape);
    EXPECT_EQ(report.first_divergence(), nullptr);
  }
}

TEST_F(Layers, OtherShapesDiverge) {
  for (const Shape& shape :
       {Shape{2, 3, 2, 4}, Shape{2, 4, 3, 2}, Shape{4, 2, 6}, Shape{48}, Shape{2, 2, 3, 5}}) {
    tensors_.clear();
    add("a.weight", shape, std::vector<float>(static_cast<std::size_t>(shape.numel())));
    const LayerReport report = compare("a.weight", image, 1e9);
    EXPECT_FALSE(report.layers.at(0).same_shape) << to_string(shape);
    EXPECT_EQ(report.first_divergence(), &report.layers[0]);
    EXPECT_EQ(report.layers[0].recorded, shape);
  }
}

TEST_F(Layers, DifferencesAreRelativeToTheLargestRecordedValue) {
  std::vector<float> values = image.values;
  values[5] += 0.5f;
  add("a.weight", image.shape, values);
  const LayerReport report = compare("a.weight", image, 0.01);
  EXPECT_EQ(report.layers[0].max_abs, 0.5);
  EXPECT_DOUBLE_EQ(report.layers[0].max_rel, 0.5 / 47);
  EXPECT_FALSE(report.layers[0].agrees());
  EXPECT_EQ(compare("a.weight", image, 0.011).first_divergence(), nullptr);
}

TEST_F(Layers, WhatIsNoNumberDiverges) {
  std::vector<float> values = image.values;
  values[0] = NAN;
  add("a.weight", image.shape, values);
  EXPECT_FALSE(compare("a.weight", image, 1e9).layers[0].agrees());
}

TEST_F(Layers, InfinitiesThatAreEqualHideNoOtherDifference) {
  HostTensor actual = image;
  std::vector<float> values = image.values;
  actual.values[0] = values[0] = HUGE_VALF;
  add("a.weight", image.shape, values);
  EXPECT_TRUE(compare("a.weight", actual).layers[0].agrees());
  actual.values[1] += 5;
  EXPECT_DOUBLE_EQ(compare("a.weight", actual).layers[0].max_rel, 5.0 / 47);
}

TEST_F(Layers, WhereBothOrdersFitTheCloserIsMeantUnlessOneIsDeclared) {
  const HostTensor square{{1, 2, 2, 2}, {0, 1, 2, 3, 4, 5, 6, 7}};
  std::vector<float> first;
  for (std::int64_t i = 0; i < 8; ++i) first.push_back(square.at_channels_first(i));
  add("a.weight", square.shape, first);
  EXPECT_EQ(compare("a.weight", square).first_divergence(), nullptr);
  metadata_["layout"] = "channels_first";
  EXPECT_EQ(compare("a.weight", square).first_divergence(), nullptr);
  metadata_["layout"] = "channels_last";
  EXPECT_NE(compare("a.weight", square).first_divergence(), nullptr);
  metadata_["layout"] = "sideways";
  EXPECT_THROW(compare("a.weight", square), ArgumentError);
}

TEST_F(Layers, NamesMayLackTheirEnding) {
  add("a.conv", image.shape, image.values);
  add("a.conv#2", image.shape, image.values);
  EXPECT_EQ(compare("a.conv.weight", image).only_recorded, std::vector<std::string>{"a.conv#2"});
  EXPECT_EQ(compare("a.conv.weight#2", image).only_recorded, std::vector<std::string>{"a.conv"});
}

TEST_F(Layers, WhatIsMissingOnEitherSideIsListed) {
  add("a.weight", image.shape, image.values);
  add("b.weight", image.shape, image.values);
  add("input.rgb", image.shape, image.values);
  const testing::TemporaryFile file("");
  write_safetensors(file.path(), tensors_);
  const Checkpoint recorded(file.path());
  LayerComparison comparison(recorded, 0);
  comparison.compare("a.weight", image);
  comparison.compare("c.weight", image);
  const LayerReport report = comparison.finish();
  EXPECT_EQ(report.only_here, std::vector<std::string>{"c.weight"});
  EXPECT_EQ(report.only_recorded, std::vector<std::string>{"b.weight"});
  EXPECT_EQ(report.first_divergence(), nullptr);
  EXPECT_THROW(compare("c.weight", image), ArgumentError) << "nothing at all was compared";
}

}  // namespace
}  // namespace dformer
