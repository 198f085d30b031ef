#include <array>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "images/image_test.hpp"
#include <dformer/backend/cpu/cpu.hpp>
#include <dformer/eval/evaluate.hpp>
#include <dformer/nn/visit.hpp>

namespace dformer {
namespace {

using testing::error_of;
using testing::expect_mentions;
using testing::same_pixels;

/// The least that the evaluator asks of a network: its classes are the rounded values of depth.
struct ReadsDepth {
  using Backend = Cpu<>;
  using Tensor = Backend::Tensor;
  static constexpr int num_classes = 3;
  static constexpr ColorOrder color_order = ColorOrder::rgb;
  Parameter<Backend> unused{Shape{1}};

  ReadsDepth() { unused.set(Backend::from_host(Backend::default_device(), Shape{1}, std::array{0.0f})); }

  Tensor operator()(const Tensor&, const Tensor& depth) const {
    std::vector<float> values(static_cast<std::size_t>(depth.shape().numel()));
    Backend::to_host(depth, values);
    std::vector<float> logits;
    for (float value : values)
      for (int k = 0; k < num_classes; ++k)
        logits.push_back(value == depth_table[static_cast<std::size_t>(k)] ? 9.0f : 0.0f);
    return Backend::from_host(depth.device(), depth.shape().with_back(num_classes), logits);
  }
  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& visitor) {
    visitor("unused", self.unused);
  }
};

/// Images whose depth is their class, but for the first, whose truth is otherwise in one pixel.
struct MadeDataset {
  int classes = 3;
  std::size_t size() const { return 5; }
  int num_classes() const { return classes; }
  std::string description() const { return "made of nothing"; }
  LabeledImage read(std::size_t index) const {
    if (index == broken) throw std::runtime_error("image " + std::to_string(index));
    const cv::Mat labels(4, 6, CV_8UC1, cv::Scalar(static_cast<double>(index % 2)));
    LabeledImage sample{
        std::to_string(index), {cv::Mat(4, 6, CV_8UC3, cv::Scalar(8)), labels, {}}, labels.clone()};
    sample.labels.at<std::uint8_t>(0, 0) = index == 0 ? 1 : 255;
    return sample;
  }
  std::size_t broken = 99;
};

TEST(Evaluate, CountsEveryImage) {
  ReadsDepth network;
  for (int workers : {0, 2}) {
    std::vector<std::string> names;
    const Score score = evaluate(network, MadeDataset{}, Protocol::single_scale(), {.workers = workers},
                                 [&](const EvaluatedImage& image) {
                                   EXPECT_EQ(image.index, names.size());
                                   EXPECT_EQ(image.count, 5u);
                                   EXPECT_TRUE(same_pixels(image.predicted, image.sample.image.depth));
                                   names.push_back(image.sample.name);
                                 });
    EXPECT_EQ(names, (std::vector<std::string>{"0", "1", "2", "3", "4"}));
    EXPECT_EQ(score.images, 5u);
    EXPECT_EQ(score.confusion.count(0, 0), 3 * 24 - 3);
    EXPECT_EQ(score.confusion.count(1, 0), 1);
    EXPECT_EQ(score.confusion.count(1, 1), 2 * 24 - 2);
    EXPECT_EQ(score.protocol.color_order, ColorOrder::rgb) << "the network's";
  }
}

TEST(Evaluate, ProtocolsAgreeWhereTheyMust) {
  // Constant images look the same at every scale and mirrored; padding must be cut off again.
  ReadsDepth network;
  const Score plain = evaluate(network, MadeDataset{}, Protocol::single_scale());
  Protocol protocol{.scales = {1, 2}, .flip = true};
  protocol.sliding = SlidingWindow{3, 4, 2, 2};
  EXPECT_EQ(evaluate(network, MadeDataset{}, protocol).confusion.counts(), plain.confusion.counts());
  protocol = {};
  protocol.padded_size = ImageSize{7, 6};
  EXPECT_EQ(evaluate(network, MadeDataset{}, protocol).confusion.counts(), plain.confusion.counts());
}

TEST(Evaluate, StopsWhereItIsAskedToAndWhereReadingFails) {
  ReadsDepth network;
  EXPECT_EQ(evaluate(network, MadeDataset{}, {}, {.max_images = 2}).images, 2u);
  EXPECT_EQ(evaluate(network, MadeDataset{}, {}, {.max_images = 100}).images, 5u);
  EXPECT_THROW(evaluate(network, MadeDataset{.broken = 3}, {}), std::runtime_error);
}

TEST(Evaluate, OtherNumbersOfClassesAreRefused) {
  ReadsDepth network;
  expect_mentions(error_of<ArgumentError>([&] { evaluate(network, MadeDataset{.classes = 4}, {}); }),
                  {"network has 3 classes", "made of nothing", "has 4"});
}

TEST(Score, TableAndCsvCarryTheProtocol) {
  ReadsDepth network;
  const Score score = evaluate(network, MadeDataset{}, Protocol::single_scale());
  const ClassList classes({"wall", "a \"floor\", shiny", "never seen"});
  const std::string text = table(score, classes);
  expect_mentions(text, {"wall", "never seen", "mIoU", "aAcc", "FWIoU", "5 images of made of nothing",
                         "protocol: scale 1; no flip", "colours R G B"});
  EXPECT_NE(text.find("98.57"), text.npos) << text;  // IoU of class 0: 69 / 70
  const std::string values = csv(score, classes);
  expect_mentions(values, {"# made of nothing; 5 images; scale 1", "class,name,iou,accuracy,f1",
                           "0,\"wall\",0.985714,1.000000", "1,\"a \"\"floor\"\", shiny\",",
                           "2,\"never seen\",,,,0,0", "mean,"});
}

}  // namespace
}  // namespace dformer
