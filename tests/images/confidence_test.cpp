#include <cmath>
#include <limits>

#include <gtest/gtest.h>
#include <opencv2/core.hpp>

#include "image_test.hpp"
#include <dformer/viz/confidence.hpp>

namespace dformer {
namespace {

using testing::error_of;
using testing::expect_mentions;
using testing::row_of;

int lightness(cv::Vec3b color) {
  return 114 * color[0] + 587 * color[1] + 299 * color[2];
}

TEST(Confidence, LightnessRises) {
  for (const ColorScale scale : {ColorScale::viridis, ColorScale::inferno}) {
    const cv::Mat picture = confidence_image(row_of<float>({0, 0.25f, 0.5f, 0.75f, 1}), {scale, false});
    ASSERT_EQ(picture.size(), cv::Size(5, 1));
    for (int x = 1; x < 5; ++x) {
      EXPECT_GT(lightness(picture.at<cv::Vec3b>(0, x)), lightness(picture.at<cv::Vec3b>(0, x - 1))) << x;
    }
  }
}

TEST(Confidence, ValuesOutsideAreDrawnAsTheNearerEnd) {
  const float infinity = std::numeric_limits<float>::infinity();
  const cv::Mat picture = confidence_image(row_of<float>({-infinity, -1, 0, 1, 2, infinity, std::nanf("")}),
                                           {ColorScale::viridis, false});
  const auto at = [&](int x) { return picture.at<cv::Vec3b>(0, x); };
  EXPECT_EQ(at(0), at(2));
  EXPECT_EQ(at(1), at(2));
  EXPECT_EQ(at(4), at(3));
  EXPECT_EQ(at(5), at(3));
  EXPECT_NE(at(2), at(3));
  EXPECT_EQ(at(6), cv::Vec3b(128, 128, 128));
}

TEST(Confidence, ScaleBarStandsBesideThePicture) {
  const cv::Mat map(480, 640, CV_32FC1, cv::Scalar(1.0));
  const cv::Mat with = confidence_image(map);
  const cv::Mat without = confidence_image(map, {ColorScale::viridis, false});
  EXPECT_EQ(with.rows, 480);
  EXPECT_GT(with.cols, 640);
  EXPECT_TRUE(testing::same_pixels(with(cv::Rect(0, 0, 640, 480)).clone(), without));
  EXPECT_GE(confidence_image(row_of<float>({0.5f})).rows, 72)
      << "beside one pixel the bar keeps a readable height";
}

TEST(Confidence, OnlyFloats) {
  expect_mentions(error_of<ImageError>([] { confidence_image(row_of<std::uint8_t>({1})); }),
                  {"8-bit", "32-bit float"});
  expect_mentions(error_of<ImageError>([] { confidence_image(cv::Mat()); }), {"an empty image"});
}

}  // namespace
}  // namespace dformer
