#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>

#include "image_test.hpp"
#include <dformer/data/depth_check.hpp>
#include <dformer/data/encode_depth.hpp>

namespace dformer {
namespace {

using testing::bytes_of;
using testing::error_of;
using testing::expect_mentions;
using testing::row_of;

/// What a user with another sensor writes.
struct QuarterMillimetreDepth {
  static constexpr std::string_view name = "quarter_mm";
  using Pixel = std::uint16_t;
  static constexpr double steps_per_metre = 4000;
};
static_assert(MetricDepth<QuarterMillimetreDepth> && MetricDepth<MetreDepth>);
static_assert(!MetricDepth<GreysDepth> && !MetricDepth<DisparityDepth>);

TEST(DepthEncoding, EveryNameIsReadBack) {
  for (const DepthEncoding& encoding :
       {DepthEncoding{GreysDepth{}}, DepthEncoding{HighByteDepth{}}, DepthEncoding{MillimetreDepth{}},
        DepthEncoding{SunDepth{}}, DepthEncoding{TumDepth{}}, DepthEncoding{MetreDepth{}},
        DepthEncoding{DisparityDepth{}}}) {
    EXPECT_EQ(parse_depth_encoding(to_string(encoding)).index(), encoding.index());
    EXPECT_NE(depth_encoding_names.find(to_string(encoding)), depth_encoding_names.npos);
  }
  EXPECT_EQ(to_string(parse_depth_encoding("grey8")), "greys");
  expect_mentions(error_of<ArgumentError>([] { parse_depth_encoding("inches"); }), {"inches", "mm", "metre"});
}

TEST(HolePolicy, EveryNameIsReadBack) {
  for (HolePolicy policy : {HolePolicy::keep, HolePolicy::as_near, HolePolicy::as_far, HolePolicy::fill}) {
    EXPECT_EQ(parse_hole_policy(to_string(policy)), policy);
    EXPECT_NE(hole_policy_names.find(to_string(policy)), hole_policy_names.npos);
  }
  expect_mentions(error_of<ArgumentError>([] { parse_hole_policy("ignore"); }), {"ignore", "keep", "fill"});
}

TEST(EncodeDepth, TypeOfTheImageMustFit) {
  const cv::Mat eight(2, 3, CV_8UC1, cv::Scalar(7));
  const cv::Mat sixteen(2, 3, CV_16UC1, cv::Scalar(7));
  const cv::Mat real(2, 3, CV_32FC1, cv::Scalar(7));
  const cv::Mat color(2, 3, CV_8UC3, cv::Scalar(7));
  expect_mentions(error_of<ImageError>([&] { encode_depth<MillimetreDepth>(eight); }),
                  {"mm", "2x3 8-bit", "pass greys"});
  expect_mentions(error_of<ImageError>([&] { encode_depth<SunDepth>(real); }),
                  {"sun", "32-bit float", "pass metre"});
  expect_mentions(error_of<ImageError>([&] { encode_depth<TumDepth>(color); }),
                  {"3 channels", "colour image"});
  expect_mentions(error_of<ImageError>([&] { encode_depth<MetreDepth>(sixteen); }),
                  {"metre", "16-bit", "tum (1/5000 m)"});
  expect_mentions(error_of<ImageError>([&] { encode_depth<GreysDepth>(sixteen, HolePolicy::keep, "d.png"); }),
                  {"[d.png]", "greys", "16-bit, 1 channel", "mm"});
  expect_mentions(error_of<ImageError>([&] { encode_depth<HighByteDepth>(eight); }), {"high_byte", "8-bit"});
  expect_mentions(error_of<ImageError>([&] { encode_depth<DisparityDepth>(color); }),
                  {"disparity", "3 channels"});
  expect_mentions(error_of<ImageError>([] { encode_depth<MetreDepth>(cv::Mat()); }), {"an empty image"});
  expect_mentions(error_of<ImageError>([] { encode_depth<GreysDepth>(cv::Mat()); }), {"an empty image"});
  expect_mentions(error_of<ImageError>([] { encode_depth<DisparityDepth>(cv::Mat()); }), {"an empty image"});
  expect_mentions(error_of<ImageError>([] { encode_depth<HighByteDepth>(cv::Mat(2, 2, CV_64FC1)); }),
                  {"64-bit float"});
}

TEST(EncodeDepth, RunTimeChoiceIsTheSameFunction) {
  const cv::Mat depth = row_of<std::uint16_t>({0, 1000, 2500, 3000});
  for (const DepthEncoding& encoding : {DepthEncoding{MillimetreDepth{}}, DepthEncoding{TumDepth{}}}) {
    EXPECT_EQ(bytes_of(encode_depth(depth, encoding, HolePolicy::as_far).grey),
              bytes_of(encode_depth<MillimetreDepth>(depth, HolePolicy::as_far).grey));
  }
  EXPECT_EQ(bytes_of(encode_depth<QuarterMillimetreDepth>(depth).grey),
            bytes_of(encode_depth<MillimetreDepth>(depth).grey));
}

TEST(EncodeDepth, HighByteIsTheUpperByte) {
  EXPECT_EQ(bytes_of(encode_depth<HighByteDepth>(row_of<std::uint16_t>({255, 256, 0x1234, 65535})).grey),
            (std::vector<int>{0, 1, 0x12, 255}));
}

TEST(EncodeDepth, HolePoliciesNeedMetricDepth) {
  const cv::Mat eight(2, 3, CV_8UC1, cv::Scalar(7));
  const cv::Mat sixteen(2, 3, CV_16UC1, cv::Scalar(7));
  expect_mentions(error_of<ArgumentError>([&] { encode_depth<GreysDepth>(eight, HolePolicy::fill); }),
                  {"fill", "keep"});
  expect_mentions(error_of<ArgumentError>([&] { encode_depth<HighByteDepth>(sixteen, HolePolicy::as_far); }),
                  {"far"});
}

TEST(EncodeDepth, GreyPicturesAreTakenAsTheyAre) {
  const cv::Mat grey = row_of<std::uint8_t>({3, 0, 255, 77});
  cv::Mat four(1, 4, CV_8UC4);
  for (int x = 0; x < 4; ++x) {
    const std::uint8_t value = grey.at<std::uint8_t>(0, x);
    four.at<cv::Vec4b>(0, x) = {value, value, value, 255};
  }
  EXPECT_EQ(bytes_of(encode_depth<GreysDepth>(grey).grey), bytes_of(grey));
  EXPECT_EQ(bytes_of(encode_depth<GreysDepth>(four).grey), bytes_of(grey));
  EXPECT_TRUE(encode_depth<GreysDepth>(four).warnings.empty());
  EXPECT_NE(encode_depth<GreysDepth>(grey).grey.data, grey.data) << "the result must own its pixels";
}

TEST(EncodeDepth, ColoursInADepthPictureAreNoticed) {
  cv::Mat picture(1, 2, CV_8UC3);
  picture.at<cv::Vec3b>(0, 0) = {10, 10, 10};
  picture.at<cv::Vec3b>(0, 1) = {0, 128, 255};
  const EncodedDepth depth = encode_depth<GreysDepth>(picture);
  ASSERT_EQ(depth.warnings.size(), 1u);
  expect_mentions(depth.warnings[0], {"colours"});
}

TEST(EncodeDepth, DisparityIsInverted) {
  // Depths in proportion 1 : 2 : 4, and a pixel without a match.
  const std::vector<int> expected{0, greys_r[64], greys_r[128], 255};
  EXPECT_EQ(bytes_of(encode_depth<DisparityDepth>(row_of<std::uint16_t>({0, 64, 32, 16})).grey), expected);
  EXPECT_EQ(bytes_of(encode_depth<DisparityDepth>(row_of<std::int16_t>({-16, 64, 32, 16})).grey), expected);
  EXPECT_EQ(bytes_of(encode_depth<DisparityDepth>(row_of<float>({0, 4, 2, 1})).grey), expected);
  EXPECT_EQ(
      bytes_of(encode_depth<DisparityDepth>(row_of<std::uint8_t>({0, 64, 32, 16}), HolePolicy::fill).grey),
      (std::vector<int>{0, 0, greys_r[85], 255}));
  EXPECT_EQ(encode_depth<DisparityDepth>(row_of<float>({0, 0})).warnings.size(), 1u);
}

TEST(DepthCheck, WrongUnitIsNoticedAndTheRightOneNamed) {
  const cv::Mat sun =
      cv::imread(testing::sample("livingroom_kinect2_512", "depth.png").string(), cv::IMREAD_UNCHANGED);
  EXPECT_TRUE(check_metric_depth<SunDepth>(sun).empty());
  const std::vector<std::string> warnings = check_metric_depth<MillimetreDepth>(sun);
  ASSERT_EQ(warnings.size(), 1u);
  expect_mentions(warnings[0], {"24.5 m", "read as mm", "did you mean sun (3.0", "or tum (4.9"});
}

TEST(DepthCheck, SamplesAreRightInTheirUnit) {
  const auto read = [](const char* name) {
    return cv::imread(testing::sample(name, "depth.png").string(), cv::IMREAD_UNCHANGED);
  };
  EXPECT_TRUE(check_metric_depth<MillimetreDepth>(read("livingroom_kinect2_1440")).empty());
  EXPECT_TRUE(check_metric_depth<TumDepth>(read("tum_desk_640")).empty());
  const DepthSummary summary = summarize_depth<std::uint16_t>(read("tum_desk_640"));
  EXPECT_NEAR(summary.median, 12075, 60);
  EXPECT_NEAR(summary.hole_share, 1 - 0.808, 0.01);
}

TEST(DepthCheck, MillimetresInFloatsAreNoticed) {
  const std::vector<std::string> warnings = check_metric_depth<MetreDepth>(row_of<float>({1800, 2500, 3100}));
  ASSERT_EQ(warnings.size(), 1u);
  expect_mentions(warnings[0], {"millimetres", "2.5 m"});
}

TEST(DepthCheck, HolesAreNoticed) {
  ASSERT_EQ(check_metric_depth<MillimetreDepth>(row_of<std::uint16_t>({0, 0, 0, 2000})).size(), 1u);
  expect_mentions(check_metric_depth<MillimetreDepth>(row_of<std::uint16_t>({0, 0, 0, 2000}))[0], {"75 %"});
  expect_mentions(check_metric_depth<MillimetreDepth>(row_of<std::uint16_t>({0, 65535}))[0],
                  {"no valid depth"});
}

TEST(DepthCheck, SmallNumbersInAPictureAreNoticed) {
  expect_mentions(check_grey_depth(row_of<std::uint8_t>({0, 3, 9}))[0], {"0 to 9", "metres"});
  expect_mentions(check_grey_depth(row_of<std::uint8_t>({9, 9}))[0], {"one value"});
  EXPECT_TRUE(check_grey_depth(row_of<std::uint8_t>({0, 90})).empty());
}

}  // namespace
}  // namespace dformer
