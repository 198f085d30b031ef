#include <set>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <support/golden.hpp>

#include "images/image_test.hpp"
#include <dformer/data/augmentation.hpp>

namespace dformer {
namespace {

using testing::Array;
using testing::expect_close;
using testing::Golden;
using testing::to_nchw;

cv::Mat image_of(const Array& array, int type) {
  cv::Mat image(static_cast<int>(array.shape[0]), static_cast<int>(array.shape[1]), type);
  for (std::size_t i = 0; i < array.values.size(); ++i)
    image.data[i] = static_cast<std::uint8_t>(array.values[i]);
  return image;
}

LabeledImage golden_sample(const Golden& golden) {
  return {"golden",
          {image_of(golden.array("rgb"), CV_8UC3), image_of(golden.array("depth"), CV_8UC1), {}},
          image_of(golden.array("label"), CV_8UC1)};
}

Array without_batch(const Array& nhwc) {
  Array result = to_nchw(nhwc);
  result.shape = {result.shape[1], result.shape[2], result.shape[3]};
  return result;
}

struct Example {
  explicit Example(const AugmentationOptions& options)
      : pixels(static_cast<std::size_t>(options.crop_height * options.crop_width)),
        color(pixels * 3),
        depth(pixels),
        labels(pixels) {}
  TrainExample spans() { return {color, depth, labels}; }

  std::size_t pixels;
  std::vector<float> color;
  std::vector<float> depth;
  std::vector<std::uint8_t> labels;
};

TEST(Augmentation, ScalesAsTheOfficialCode) {
  const Golden golden("protocol/transforms");
  const LabeledImage sample = golden_sample(golden);
  for (const char* scale : {"0.5", "0.75", "1", "1.25", "1.5", "1.75"}) {
    const std::string key = std::string("resize") + scale;
    const Augmentation augmentation{.scale = std::stod(scale)};
    const auto expect = [&](const cv::Mat& image, int interpolation, const std::string& what, int type,
                            double tolerance) {
      const cv::Mat expected = image_of(golden.array(key + "." + what), type);
      const cv::Mat actual = detail::mirrored_and_scaled(image, augmentation, interpolation);
      ASSERT_EQ(actual.size(), expected.size()) << key;
      EXPECT_LE(cv::norm(actual, expected, cv::NORM_INF), tolerance) << key << "." << what;
    };
    expect(sample.image.color, cv::INTER_LINEAR, "rgb", CV_8UC3, 1);
    expect(sample.image.depth, cv::INTER_LINEAR, "depth", CV_8UC1, 1);
    expect(sample.labels, cv::INTER_NEAREST, "label", CV_8UC1, 0);
  }
}

/// Mirror, scale, crop position and crop size of every recorded case of the official preprocessing.
TEST(Augmentation, MakesWhatTheOfficialCodeMakes) {
  const Golden golden("protocol/transforms");
  const LabeledImage sample = golden_sample(golden);
  // The fixtures' tolerance: one grey level where this OpenCV scales otherwise, else rounding.
  const double one_level = 1.0 / 255.0 / 0.224 + 1e-6;
  std::size_t cases = 0;
  for (const auto& entry : golden.json("cases")) {
    const std::string key = entry.at("name");
    const AugmentationOptions options{.crop_height = entry.at("crop")[0], .crop_width = entry.at("crop")[1]};
    Augmentation augmentation{.mirror = entry.at("mirror"), .scale = entry.at("scale")};
    // One draw for the row where the image is higher than the crop, then one for the column.
    const cv::Size size = scaled_size(sample.labels, augmentation.scale);
    std::size_t draw = 0;
    const auto& draws = entry.at("randint_calls_min_max_value");
    if (size.height > options.crop_height) augmentation.crop_row = draws.at(draw++)[2];
    if (size.width > options.crop_width) augmentation.crop_column = draws.at(draw++)[2];
    ASSERT_EQ(draw, draws.size()) << key;

    Example example(options);
    augment(sample, augmentation, options, ColorOrder::bgr, example.spans());
    const Shape color{1, options.crop_height, options.crop_width, 3};
    const Shape depth{1, options.crop_height, options.crop_width, 1};
    const std::string scale = entry.at("scale").dump();
    const cv::Mat scaled =
        detail::mirrored_and_scaled(sample.image.color, {.scale = augmentation.scale}, cv::INTER_LINEAR);
    const bool same =
        cv::norm(scaled, image_of(golden.array("resize" + scale + ".rgb"), CV_8UC3), cv::NORM_INF) == 0;
    const double tolerance = same ? 1e-6 : one_level;
    expect_close(without_batch({color, example.color}), golden.array(key + ".rgb"), tolerance, key + ".rgb");
    expect_close(without_batch({depth, example.depth}), golden.array(key + ".depth"), same ? 1e-6 : one_level,
                 key + ".depth");
    const Array labels = golden.array(key + ".label");
    for (std::size_t i = 0; i < labels.values.size(); ++i)
      ASSERT_EQ(static_cast<float>(example.labels[i]), labels.values[i]) << key << ", pixel " << i;
    ++cases;
  }
  EXPECT_EQ(cases, 24u);
}

TEST(Augmentation, MirrorsAsTheRecordedOperation) {
  const Golden golden("ops/pad_crop_flip");
  const Array x = golden.nhwc("input.x");
  const cv::Mat image(static_cast<int>(x.shape[1]), static_cast<int>(x.shape[2]), CV_32FC2,
                      const_cast<float*>(x.values.data()));
  const cv::Mat mirrored = detail::mirrored_and_scaled(image, {.mirror = true}, cv::INTER_LINEAR).clone();
  const Array actual{x.shape, {mirrored.ptr<float>(), mirrored.ptr<float>() + x.values.size()}};
  expect_close(actual, golden.nhwc("output"), 0, "mirror");
}

TEST(Augmentation, DrawsEveryChoiceAndOnePositionTooMany) {
  const cv::Mat image(20, 30, CV_8UC1);
  const AugmentationOptions options{.crop_height = 18, .crop_width = 27, .scales = {0.5, 1}};
  std::set<int> rows;
  std::set<int> columns;
  int mirrored = 0;
  int halves = 0;
  for (std::uint32_t i = 0; i < 2000; ++i) {
    const Augmentation drawn = draw_augmentation(options, image, RandomStream(5, i));
    mirrored += drawn.mirror;
    if (drawn.scale == 0.5) {
      ++halves;
      EXPECT_EQ(drawn.crop_row, 0);
      EXPECT_EQ(drawn.crop_column, 0);
    } else {
      rows.insert(drawn.crop_row);
      columns.insert(drawn.crop_column);
    }
  }
  EXPECT_NEAR(mirrored, 1000, 100);
  EXPECT_NEAR(halves, 1000, 100);
  EXPECT_EQ(rows, (std::set{0, 1, 2, 3}));  // 20 - 18 + 1 included
  EXPECT_EQ(columns, (std::set{0, 1, 2, 3, 4}));
}

}  // namespace
}  // namespace dformer
