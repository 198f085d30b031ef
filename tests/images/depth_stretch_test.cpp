#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>
#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>

#include "image_test.hpp"
#include "support/golden.hpp"
#include <dformer/data/depth_stretch.hpp>
#include <dformer/data/encode_depth.hpp>

namespace dformer {
namespace {

using testing::bytes_of;
using testing::row_of;

constexpr float not_a_number = std::numeric_limits<float>::quiet_NaN();
constexpr float infinity = std::numeric_limits<float>::infinity();

TEST(GreysColormap, HasTheNodesOfTheScheme) {
  // Levels that fall on or next to the nine nodes, worked out by hand: 32 levels are 32/31.875 of a node
  // distance.
  EXPECT_EQ(greys_r[0], 0);
  EXPECT_EQ(greys_r[1], 1);    // 37 / 31.875 = 1.16
  EXPECT_EQ(greys_r[31], 35);  // 31 * 37 / 31.875 = 35.98, cut off
  EXPECT_EQ(greys_r[32], 37);  // 37 + 0.125 * 45 / 31.875
  EXPECT_EQ(greys_r[128], 150);
  EXPECT_EQ(greys_r[255], 255);
}

TEST(GreysColormap, NeverFalls) {
  for (std::size_t level = 1; level < 256; ++level) EXPECT_GE(greys_r[level], greys_r[level - 1]) << level;
}

class OfficialDepthPicture : public ::testing::TestWithParam<const char*> {};

TEST_P(OfficialDepthPicture, IsReproducedBitForBit) {
  const std::string name = GetParam();
  const cv::Mat stored = cv::imread(testing::sample(name, "depth.png").string(), cv::IMREAD_UNCHANGED);
  const cv::Mat official =
      cv::imread(testing::fixture("end_to_end/" + name + ".depth_greys.png").string(), cv::IMREAD_UNCHANGED);
  ASSERT_EQ(stored.type(), CV_16UC1);
  ASSERT_EQ(official.type(), CV_8UC4);
  const cv::Mat ours = stretch_depth<std::uint16_t>(stored, HolePolicy::keep);
  ASSERT_EQ(ours.size(), official.size());
  int different = 0;
  for (int y = 0; y < ours.rows; ++y) {
    for (int x = 0; x < ours.cols; ++x) {
      const std::uint8_t grey = ours.at<std::uint8_t>(y, x);
      different += official.at<cv::Vec4b>(y, x) != cv::Vec4b(grey, grey, grey, 255);
    }
  }
  EXPECT_EQ(different, 0);
}

TEST_P(OfficialDepthPicture, IsReadAsTheOfficialProgramReadsIt) {
  const std::string name = GetParam();
  const std::string model = name == "tum_desk_640" ? "DFormer_Tiny" : "DFormer_Small";
  const testing::Array gray = testing::Golden("end_to_end/" + name + "." + model).array("gray");
  const cv::Mat official =
      cv::imread(testing::fixture("end_to_end/" + name + ".depth_greys.png").string(), cv::IMREAD_UNCHANGED);
  const EncodedDepth depth = encode_depth<GreysDepth>(official);
  ASSERT_EQ(depth.grey.total(), gray.values.size());
  int different = 0;
  for (std::size_t i = 0; i < gray.values.size(); ++i) {
    different += static_cast<float>(depth.grey.data[i]) != gray.values[i];
  }
  EXPECT_EQ(different, 0);
  EXPECT_TRUE(depth.warnings.empty());
}

INSTANTIATE_TEST_SUITE_P(Samples, OfficialDepthPicture,
                         ::testing::Values("livingroom_kinect2_512", "tum_desk_640"));

TEST(DepthStretch, ReachesBothEnds) {
  EXPECT_EQ(
      bytes_of(stretch_depth<std::uint16_t>(row_of<std::uint16_t>({1000, 2000, 3000}), HolePolicy::keep)),
      (std::vector<int>{0, 150, 255}));
}

TEST(DepthStretch, DoesNotDependOnTheUnit) {
  const cv::Mat millimetres = row_of<std::uint16_t>({500, 750, 1250, 2500, 4500});
  cv::Mat metres;
  millimetres.convertTo(metres, CV_32F, 0.0009765625);  // a power of two, so nothing is rounded
  EXPECT_EQ(bytes_of(stretch_depth<std::uint16_t>(millimetres, HolePolicy::keep)),
            bytes_of(stretch_depth<float>(metres, HolePolicy::keep)));
}

TEST(DepthStretch, HolesOf16BitImages) {
  const cv::Mat depth = row_of<std::uint16_t>({0, 1000, 2000, 3000, 65535});
  const auto grey = [&](HolePolicy policy) { return bytes_of(stretch_depth<std::uint16_t>(depth, policy)); };
  EXPECT_EQ(grey(HolePolicy::keep), (std::vector<int>{0, greys_r[3], greys_r[7], greys_r[11], 255}));
  EXPECT_EQ(grey(HolePolicy::as_near), (std::vector<int>{0, 0, 150, 255, 0}));
  EXPECT_EQ(grey(HolePolicy::as_far), (std::vector<int>{255, 0, 150, 255, 255}));
  EXPECT_EQ(grey(HolePolicy::fill), (std::vector<int>{0, 0, 150, 255, 255}));
}

TEST(DepthStretch, HolesOfFloatImages) {
  const cv::Mat depth = row_of<float>({not_a_number, 1, -2, 2, infinity, 3});
  const auto grey = [&](HolePolicy policy) { return bytes_of(stretch_depth<float>(depth, policy)); };
  EXPECT_EQ(grey(HolePolicy::keep), (std::vector<int>{0, greys_r[85], 0, greys_r[170], 0, 255}));
  EXPECT_EQ(grey(HolePolicy::as_far), (std::vector<int>{255, 0, 255, 150, 255, 255}));
}

TEST(DepthStretch, FillTakesTheNearestPixelInTwoDimensions) {
  cv::Mat depth = cv::Mat::zeros(9, 9, CV_16UC1);
  depth.at<std::uint16_t>(1, 1) = 1000;
  depth.at<std::uint16_t>(7, 7) = 3000;
  const cv::Mat grey = stretch_depth<std::uint16_t>(depth, HolePolicy::fill);
  EXPECT_EQ(grey.at<std::uint8_t>(0, 0), 0);
  EXPECT_EQ(grey.at<std::uint8_t>(2, 4), 0);
  EXPECT_EQ(grey.at<std::uint8_t>(6, 4), 255);
  EXPECT_EQ(grey.at<std::uint8_t>(8, 8), 255);
}

TEST(DepthStretch, NothingToStretchIsBlack) {
  for (HolePolicy policy : {HolePolicy::keep, HolePolicy::as_near, HolePolicy::as_far, HolePolicy::fill}) {
    EXPECT_EQ(bytes_of(stretch_depth<std::uint16_t>(row_of<std::uint16_t>({1234}), policy)),
              std::vector<int>{0});
    EXPECT_EQ(bytes_of(stretch_depth<std::uint16_t>(row_of<std::uint16_t>({0, 0}), policy)),
              (std::vector<int>{0, 0}));
    EXPECT_EQ(bytes_of(stretch_depth<float>(row_of<float>({not_a_number, not_a_number}), policy)),
              (std::vector<int>{0, 0}));
  }
}

TEST(DepthStretch, ReadsPartsOfLargerImages) {
  cv::Mat large(4, 10, CV_16UC1, cv::Scalar(9000));
  cv::Mat part = large(cv::Rect(3, 1, 3, 2));
  row_of<std::uint16_t>({1000, 2000, 3000}).copyTo(part.row(0));
  row_of<std::uint16_t>({3000, 2000, 1000}).copyTo(part.row(1));
  EXPECT_EQ(bytes_of(stretch_depth<std::uint16_t>(part, HolePolicy::fill)),
            (std::vector<int>{0, 150, 255, 255, 150, 0}));
}

}  // namespace
}  // namespace dformer
