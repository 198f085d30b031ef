// Several pairs at once give what each gives alone.
#include <cstdint>
#include <span>
#include <vector>

#include <gtest/gtest.h>
#include <opencv2/core.hpp>

#include "images/image_test.hpp"
#include <dformer/backend/cpu/cpu.hpp>
#include <dformer/eval/probabilities.hpp>
#include <dformer/eval/segment.hpp>
#include <dformer/models/zoo.hpp>
#include <dformer/nn/initialize.hpp>

namespace dformer {
namespace {

using testing::error_of;
using testing::expect_mentions;

RgbdImage random_pair(int seed, int height = 32, int width = 64) {
  cv::RNG random(static_cast<std::uint64_t>(seed));
  RgbdImage image{cv::Mat(height, width, CV_8UC3), cv::Mat(height, width, CV_8UC1), {}};
  random.fill(image.color, cv::RNG::UNIFORM, 0, 256);
  random.fill(image.depth, cv::RNG::UNIFORM, 0, 256);
  return image;
}

class Batch : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    network_ = make_segmenter<Cpu<>>("DFormer_Tiny").release();
    initialize(*network_, 3);
  }
  static void TearDownTestSuite() { delete network_; }
  static const AnySegmenter<Cpu<>>& network() { return *network_; }
  static inline AnySegmenter<Cpu<>>* network_ = nullptr;
};

std::vector<float> values_of(const Cpu<>::Tensor& tensor) {
  std::vector<float> values(static_cast<std::size_t>(tensor.shape().numel()));
  Cpu<>::to_host(tensor, values);
  return values;
}

TEST_F(Batch, HoldsThePairsOneAfterAnother) {
  const std::vector<RgbdImage> images{random_pair(1), random_pair(2)};
  const auto input = upload(network(), std::span(images), Cpu<>::default_device());
  std::vector<float> color;
  std::vector<float> depth;
  for (const RgbdImage& image : images) {
    const NormalizedImage alone = normalize(image, network().color_order);
    color.insert(color.end(), alone.color.begin(), alone.color.end());
    depth.insert(depth.end(), alone.depth.begin(), alone.depth.end());
  }
  EXPECT_EQ(values_of(input.rgb), color);
  EXPECT_EQ(values_of(input.depth), depth);
}

TEST_F(Batch, LabelsAsOneByOne) {
  const std::vector<RgbdImage> images{random_pair(1), random_pair(2)};
  const auto input = upload(network(), std::span(images), Cpu<>::default_device());
  ASSERT_EQ(input.rgb.shape(), (Shape{2, 32, 64, 3}));
  ASSERT_EQ(input.depth.shape(), (Shape{2, 32, 64, 1}));
  std::vector<std::uint8_t> labels(2 * 32 * 64);
  Cpu<>::labels_to_host(network().labels(input.rgb, input.depth), labels);
  for (std::size_t i = 0; i < images.size(); ++i) {
    const cv::Mat alone = segment(network(), images[i]);
    const cv::Mat in_batch(32, 64, CV_8UC1, labels.data() + i * 32 * 64);
    EXPECT_EQ(cv::norm(alone, in_batch, cv::NORM_INF), 0) << "image " << i;
  }
}

TEST_F(Batch, PairsOfOtherSizesAndNone) {
  const std::vector<RgbdImage> images{random_pair(1), random_pair(2, 64, 32)};
  expect_mentions(
      error_of<ImageError>([&] { upload(network(), std::span(images), Cpu<>::default_device()); }),
      {"32x64", "64x32", "one size"});
  expect_mentions(error_of<ArgumentError>(
                      [&] { upload(network(), std::span<const RgbdImage>(), Cpu<>::default_device()); }),
                  {"one pair of images or more"});
}

TEST_F(Batch, PredictionsAgreeWithLabels) {
  const RgbdImage image = random_pair(5);
  const Prediction prediction = predict(network(), upload(network(), image, Cpu<>::default_device()));
  EXPECT_EQ(cv::norm(prediction.labels, segment(network(), image), cv::NORM_INF), 0);
  ASSERT_EQ(prediction.num_classes, 40);
  for (int pixel = 0; pixel < 32 * 64; ++pixel) {
    const float* row = prediction.probabilities.data() + pixel * 40;
    float sum = 0;
    for (int k = 0; k < 40; ++k) sum += row[k];
    ASSERT_NEAR(sum, 1.0f, 1e-5f) << "pixel " << pixel;
    ASSERT_EQ(prediction.confidence.ptr<float>()[pixel], row[prediction.labels.data[pixel]]);
  }
}

}  // namespace
}  // namespace dformer
