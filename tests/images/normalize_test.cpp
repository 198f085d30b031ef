#include <cstddef>
#include <cstdint>
#include <vector>

#include <gtest/gtest.h>
#include <opencv2/core.hpp>

#include "image_test.hpp"
#include "support/golden.hpp"
#include <dformer/data/normalize.hpp>
#include <dformer/data/read_images.hpp>

namespace dformer {
namespace {

using testing::error_of;
using testing::expect_mentions;
using testing::row_of;

struct EndToEnd {
  const char* sample;
  const char* model;
  DepthEncoding encoding;
};

class NormalizedSample : public ::testing::TestWithParam<EndToEnd> {};

TEST_P(NormalizedSample, IsWhatTheOfficialNetworkReceives) {
  const auto& [name, model, encoding] = GetParam();
  const testing::Golden golden(std::string("end_to_end/") + name + "." + model);
  const RgbdImage image = read_rgbd(testing::sample(name, "rgb.png"), testing::sample(name, "depth.png"),
                                    {encoding, HolePolicy::keep});
  const NormalizedImage input = normalize(image, ColorOrder::bgr);
  const auto height = static_cast<std::size_t>(input.height);
  const auto width = static_cast<std::size_t>(input.width);

  // The fixture holds 1e-6 as its tolerance and flat indices into [1, 3, H, W].
  const auto compare = [&](const std::string& which, const std::vector<float>& ours, std::size_t channels) {
    const testing::Array index = golden.array("input." + which + ".idx");
    const testing::Array expected = golden.array("input." + which + ".val");
    ASSERT_EQ(index.values.size(), 1024u);
    double worst = 0;
    for (std::size_t i = 0; i < index.values.size(); ++i) {
      const auto flat = static_cast<std::size_t>(index.values[i]);
      const std::size_t channel = channels == 1 ? 0 : flat / (height * width);
      const float actual = ours[flat % (height * width) * channels + channel];
      worst =
          std::max(worst, std::abs(static_cast<double>(actual) - static_cast<double>(expected.values[i])));
    }
    EXPECT_LE(worst, 1e-6) << which;
  };
  compare("rgb", input.color, 3);
  compare("depth", input.depth, 1);
}

INSTANTIATE_TEST_SUITE_P(Samples, NormalizedSample,
                         ::testing::Values(EndToEnd{"livingroom_kinect2_512", "DFormer_Small", SunDepth{}},
                                           EndToEnd{"tum_desk_640", "DFormer_Tiny", TumDepth{}},
                                           EndToEnd{"tum_desk_640", "DFormerv2_S", TumDepth{}}),
                         [](const auto& test) { return test.param.model; });

TEST(Normalize, ChannelsKeepTheConstantsOfTheirPlace) {
  cv::Mat bgr(1, 1, CV_8UC3);
  bgr.at<cv::Vec3b>(0, 0) = {0, 51, 255};
  std::vector<float> out(3);
  normalize_color(bgr, ColorOrder::bgr, out);
  EXPECT_FLOAT_EQ(out[0], -0.485f / 0.229f);
  EXPECT_FLOAT_EQ(out[1], (0.2f - 0.456f) / 0.224f);
  EXPECT_FLOAT_EQ(out[2], (1 - 0.406f) / 0.225f);
  normalize_color(bgr, ColorOrder::rgb, out);
  EXPECT_FLOAT_EQ(out[0], (1 - 0.485f) / 0.229f);
  EXPECT_FLOAT_EQ(out[1], (0.2f - 0.456f) / 0.224f);
  EXPECT_FLOAT_EQ(out[2], -0.406f / 0.225f);
}

TEST(Normalize, BytesOfAnyOriginAreWhatAnImageOfThemIs) {
  std::vector<std::uint8_t> bytes(2 * 3 * 3);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(14 * i);
  for (const ColorOrder order : {ColorOrder::bgr, ColorOrder::rgb}) {
    std::vector<float> of_bytes(bytes.size()), of_image(bytes.size());
    normalize_color(bytes, order, of_bytes);
    normalize_color(cv::Mat(2, 3, CV_8UC3, bytes.data()), order, of_image);
    EXPECT_EQ(of_bytes, of_image);
  }
  std::vector<float> out(17);
  expect_mentions(error_of<ArgumentError>([&] { normalize_color(bytes, ColorOrder::bgr, out); }),
                  {"18 floats", "17"});
  bytes.pop_back();
  expect_mentions(error_of<ArgumentError>([&] { normalize_color(bytes, ColorOrder::bgr, out); }),
                  {"three bytes a pixel", "17"});
}

TEST(Normalize, DepthOfBothEnds) {
  std::vector<float> out(2);
  normalize_depth(row_of<std::uint8_t>({0, 255}), out);
  EXPECT_FLOAT_EQ(out[0], -0.48f / 0.28f);
  EXPECT_FLOAT_EQ(out[1], 0.52f / 0.28f);
}

TEST(Normalize, ReadsPartsOfLargerImagesRowByRow) {
  cv::Mat large(5, 7, CV_8UC1);
  for (int y = 0; y < 5; ++y) {
    for (int x = 0; x < 7; ++x) large.at<std::uint8_t>(y, x) = static_cast<std::uint8_t>(10 * y + x);
  }
  std::vector<float> out(6);
  normalize_depth(large(cv::Rect(2, 1, 3, 2)), out);
  EXPECT_EQ(out, (std::vector<float>{depth_table[12], depth_table[13], depth_table[14], depth_table[22],
                                     depth_table[23], depth_table[24]}));
}

TEST(Normalize, BuffersMustFit) {
  const cv::Mat color(2, 3, CV_8UC3, cv::Scalar(0, 0, 0));
  const cv::Mat grey(2, 3, CV_8UC1, cv::Scalar(0));
  std::vector<float> out(17);
  expect_mentions(error_of<ArgumentError>([&] { normalize_color(color, ColorOrder::bgr, out); }),
                  {"18", "17"});
  expect_mentions(error_of<ArgumentError>([&] { normalize_depth(grey, out); }), {"6 floats", "17"});
  expect_mentions(error_of<ImageError>([&] { normalize_color(grey, ColorOrder::bgr, out); }),
                  {"3 channels", "1 channel"});
  expect_mentions(error_of<ImageError>([&] { normalize_depth(color, out); }), {"1 channel", "3 channels"});
}

TEST(Normalize, PairMustBeValid) {
  RgbdImage image;
  expect_mentions(error_of<ImageError>([&] { normalize(image); }), {"an empty image", "read_rgbd"});
  image.color = cv::Mat(2, 3, CV_8UC3, cv::Scalar(0, 0, 0));
  image.depth = cv::Mat(2, 3, CV_16UC1, cv::Scalar(0));
  expect_mentions(error_of<ImageError>([&] { normalize(image); }), {"16-bit", "encode"});
  image.depth = cv::Mat(3, 2, CV_8UC1, cv::Scalar(0));
  expect_mentions(error_of<ImageError>([&] { normalize(image); }), {"2x3", "3x2", "register"});
}

}  // namespace
}  // namespace dformer
