#include <cmath>

#include <gtest/gtest.h>
#include <support/backend_under_test.hpp>

#include <dformer/models.hpp>
#include <dformer/models/any_segmenter.hpp>

namespace dformer::testing {
namespace {

constexpr DFormerConfig mini{
    .dims = {8, 16, 24, 32}, .depths = {1, 1, 1, 2}, .num_heads = {1, 2, 2, 4}, .mlp_ratios = {2, 2, 2, 2}};
template <int NumClasses>
using MiniOf = Segmenter<TestBackend, DFormer<TestBackend, mini>,
                         LightHamHead<TestBackend, 16, 24, 32, NumClasses, 24, 16, 4>>;
using Mini = MiniOf<5>;

Tensor noise(const TestBackend::Device& device, const Shape& shape, const char* name) {
  Array array{shape, std::vector<float>(static_cast<std::size_t>(shape.numel()))};
  const NamedStream stream(name);
  for (std::size_t i = 0; i < array.values.size(); ++i) array.values[i] = stream.symmetric(i);
  return upload(device, array);
}

TEST(Segmenter, LabelsAreTheBestOfTheResizedScores) {
  Mini network;
  const auto& device = TestBackend::default_device();
  initialize(network, 3, device);
  const Tensor rgb = noise(device, {2, 33, 50, 3}, "rgb");
  const Tensor depth = noise(device, {2, 33, 50, 1}, "depth");
  const auto labels = network.labels(rgb, depth);
  ASSERT_EQ(labels.shape(), (Shape{2, 33, 50}));
  std::vector<std::uint8_t> found(2 * 33 * 50);
  TestBackend::labels_to_host(labels, found);
  const Array scores = download(TestBackend::resize_bilinear(network(rgb, depth), 33, 50, false));
  for (std::size_t pixel = 0; pixel < found.size(); ++pixel) {
    const float* row = &scores.values[pixel * 5];
    EXPECT_EQ(found[pixel], std::max_element(row, row + 5) - row);
  }
}

TEST(Segmenter, SaysThatItsParametersAreUnset) {
  const Mini network;
  const auto& device = TestBackend::default_device();
  try {
    network(noise(device, {1, 32, 32, 3}, "rgb"), noise(device, {1, 32, 32, 1}, "depth"));
    FAIL();
  } catch (const UnsetParameterError& error) {
    const std::string text = error.what();
    EXPECT_NE(text.find("have no value, the first of them backbone.downsample_layers.0.0.weight"), text.npos)
        << text;
    EXPECT_NE(text.find("call load(net, path) or initialize(net, seed) first"), text.npos) << text;
  }
}

// The number of classes may be part of the type or not: it is the same network.
TEST(Segmenter, ClassesOfTheObjectAreAsThoseOfTheType) {
  Mini of_type;
  MiniOf<any_classes> of_object(5);
  static_assert(Mini::num_classes == 5);
  EXPECT_EQ(of_object.num_classes, 5);
  EXPECT_EQ(of_object.decode_head.num_classes, 5);
  const auto expected = parameters(of_type);
  const auto found = parameters(of_object);
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    EXPECT_EQ(found[i].name, expected[i].name);
    EXPECT_EQ(found[i].parameter->shape(), expected[i].parameter->shape()) << found[i].name;
  }

  const auto& device = TestBackend::default_device();
  initialize(of_type, 3, device);
  initialize(of_object, 3, device);
  const Tensor rgb = noise(device, {1, 33, 50, 3}, "rgb");
  const Tensor depth = noise(device, {1, 33, 50, 1}, "depth");
  EXPECT_EQ(download(of_type(rgb, depth)).values, download(of_object(rgb, depth)).values);
}

TEST(Segmenter, SetsWhatTrainingLeavesOut) {
  Mini network;
  network.set_drop_path(0.4f);
  EXPECT_EQ(network.backbone.stage0[0].drop_path, 0.0f);
  EXPECT_FLOAT_EQ(network.backbone.stage1[0].drop_path, 0.1f);
  EXPECT_FLOAT_EQ(network.backbone.last_block.drop_path, 0.4f);
  network.set_dropout(0.25f);
  EXPECT_EQ(network.decode_head.dropout.p, 0.25f);
  for (float wrong : {-0.1f, 1.0f, std::nanf("")}) {
    EXPECT_THROW(network.set_drop_path(wrong), ArgumentError);
    EXPECT_THROW(network.set_dropout(wrong), ArgumentError);
  }
  EXPECT_FLOAT_EQ(network.backbone.last_block.drop_path, 0.4f);
}

/// Neither blocks that can be passed by, nor channels that can be left out.
struct Plain {
  using Backend = TestBackend;
  static constexpr int num_classes = 5;
  static constexpr ColorOrder color_order = ColorOrder::bgr;
  Tensor operator()(const Tensor& rgb, const Tensor&) const { return rgb; }
  TestBackend::Labels labels(const Tensor& rgb, const Tensor&) const {
    return TestBackend::resize_argmax(rgb, 1, 1);
  }
  template <class Self, class Visitor>
  static void visit(Self&, Visitor&) {}
};

TEST(SegmenterHolder, HoldsNetworksWithoutDropPathAndDropout) {
  SegmenterHolder<Plain> network("Plain");
  network.set_drop_path(0.0f);
  network.set_dropout(0.0f);
  EXPECT_THROW(network.set_drop_path(0.1f), ArgumentError);
  EXPECT_THROW(network.set_dropout(0.1f), ArgumentError);
}

TEST(Segmenter, ClassesOfTheObjectAreChecked) {
  EXPECT_EQ(MiniOf<any_classes>(2).decode_head.conv_seg.weight.shape()[0], 2);
  EXPECT_EQ(MiniOf<any_classes>(255).decode_head.conv_seg.bias.shape()[0], 255);
  for (int count : {-1, 0, 1, 256}) {
    try {
      MiniOf<any_classes> network(count);
      ADD_FAILURE() << count;
    } catch (const ArgumentError& error) {
      const std::string text = error.what();
      EXPECT_NE(text.find("2 to 255 classes, asked for " + std::to_string(count)), text.npos) << text;
    }
  }
}

TEST(Initialize, IsDecidedByTheSeed) {
  Mini a, b, c;
  initialize(a, 1);
  initialize(b, 1);
  initialize(c, 2);
  const auto weights = [](const Mini& network) {
    return download(network.decode_head.conv_seg.bias.value()).values;
  };
  const auto stem = [](const Mini& network) {
    const auto& weight = network.backbone.downsample_layers.stem.conv0.weight;
    std::vector<float> values(static_cast<std::size_t>(weight.shape().numel()));
    TestBackend::weight_to_host(weight.value(), weight.layout(), values);
    return values;
  };
  EXPECT_EQ(stem(a), stem(b));
  EXPECT_NE(stem(a), stem(c));
  EXPECT_EQ(weights(a), std::vector<float>(5, 0.0f));
}

TEST(Initialize, LeavesNothingUnset) {
  Mini network;
  initialize(network, 1);
  for (const auto& [name, parameter] : parameters(network)) {
    EXPECT_TRUE(parameter->kind() == ParameterKind::counter || parameter->has_value()) << name;
  }
}

// A batch gives each image what it gets alone.
TEST(Segmenter, ImagesOfABatchDoNotMeet) {
  Mini network;
  const auto& device = TestBackend::default_device();
  initialize(network, 3, device);
  const Array rgb = download(noise(device, {2, 40, 24, 3}, "rgb"));
  const Array depth = download(noise(device, {2, 40, 24, 1}, "depth"));
  const Array both = download(network(upload(device, rgb), upload(device, depth)));
  const auto half = [](const Array& array, std::size_t which) {
    Array part{array.shape, {}};
    part.shape[0] = 1;
    const auto count = static_cast<std::ptrdiff_t>(array.values.size() / 2);
    const auto begin = array.values.begin() + static_cast<std::ptrdiff_t>(which) * count;
    part.values.assign(begin, begin + count);
    return part;
  };
  for (std::size_t which : {std::size_t{0}, std::size_t{1}}) {
    const Array alone =
        download(network(upload(device, half(rgb, which)), upload(device, half(depth, which))));
    expect_close(alone, half(both, which), 1e-5, "image " + std::to_string(which));
  }
}

#if !defined(DFORMER_TEST_CUDA)
TEST(Segmenter, ResultDoesNotDependOnThreads) {
  std::vector<std::vector<float>> results;
  for (int threads : {1, 2, 3}) {
    const cpu::Device device({.threads = threads});
    Mini network;
    initialize(network, 3, device);
    results.push_back(
        download(network(noise(device, {1, 66, 50, 3}, "rgb"), noise(device, {1, 66, 50, 1}, "depth")))
            .values);
  }
  EXPECT_EQ(results[0], results[1]);
  EXPECT_EQ(results[0], results[2]);
}
#endif

}  // namespace
}  // namespace dformer::testing
