#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include <gtest/gtest.h>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

#include "image_test.hpp"
#include "support/golden.hpp"
#include <dformer/data/metric_depth.hpp>
#include <dformer/data/normalize.hpp>
#include <dformer/data/read_images.hpp>

namespace dformer {
namespace {

using testing::Array;
using testing::error_of;
using testing::expect_mentions;

TEST(MetricDepth, IsWhatTheOfficialNetworkReceives) {
  const testing::Golden golden("asymformer/preprocess");
  Array raw = golden.array("depth.raw_mm");  // with fractions
  for (float& value : raw.values) value /= 1000.0f;
  const cv::Mat metres = depth_in_metres(cv::Mat(24, 32, CV_32FC1, raw.values.data()), MetreDepth{}).metres;
  Array found{{24, 32}, std::vector<float>(24 * 32)};
  normalize_depth(metres, found.values);
  testing::expect_close(found, golden.array("depth.norm.fixed_mean_std"), 1e-6, "depth");

  const Array image = golden.array("image.raw_u8_hwc");
  cv::Mat rgb, bgr;
  cv::Mat(12, 16, CV_32FC3, const_cast<float*>(image.values.data())).convertTo(rgb, CV_8U);
  cv::cvtColor(rgb, bgr, cv::COLOR_RGB2BGR);
  const cv::Mat depth(bgr.size(), CV_16UC1, cv::Scalar(1000));
  const RgbdImage pair = make_rgbd(bgr, depth, {.encoding = MillimetreDepth{}, .as = DepthInput::metres});
  EXPECT_EQ(depth_of(pair), DepthInput::metres);
  EXPECT_EQ(pair.warnings.size(), 1u);  // of its one value
  const NormalizedImage both = normalize(pair, ColorOrder::rgb);
  const Array expected = golden.nhwc("image.norm_train");
  testing::expect_close(testing::to_nchw({{1, 12, 16, 3}, both.color}), {{1, 3, 12, 16}, expected.values},
                        1e-6, "colour");
  EXPECT_FLOAT_EQ(both.depth[0], (1.0f - 2.84245035f) / 0.99328362f);
}

TEST(MetricDepth, HolesAreZero) {
  const float infinity = std::numeric_limits<float>::infinity();
  const cv::Mat metres =
      (cv::Mat_<float>(1, 5) << 2.5f, 0.0f, -1.0f, infinity, std::numeric_limits<float>::quiet_NaN());
  const cv::Mat found = depth_in_metres<MetreDepth>(metres).metres;
  for (int x = 0; x < 5; ++x) EXPECT_EQ(found.at<float>(0, x), x == 0 ? 2.5f : 0.0f) << x;
  const cv::Mat steps = (cv::Mat_<std::uint16_t>(1, 3) << 5000, 0, 65535);
  const cv::Mat of_tum = depth_in_metres(steps, TumDepth{}).metres;
  EXPECT_EQ(of_tum.at<float>(0, 0), 1.0f);
  EXPECT_EQ(of_tum.at<float>(0, 1), 0.0f);
  EXPECT_EQ(of_tum.at<float>(0, 2), 0.0f);
}

// Also in pairs that nothing here has made.
TEST(MetricDepth, WhatIsNoDepthIsNormalisedAsZero) {
  const std::vector<float> metres{0.0f, -1.0f, std::numeric_limits<float>::infinity(),
                                  std::numeric_limits<float>::quiet_NaN()};
  std::vector<float> out(4);
  normalize_metres(metres, out);
  for (const float value : out) EXPECT_FLOAT_EQ(value, -2.84245035f / 0.99328362f);
}

TEST(MetricDepth, SaysWhatItCannotUse) {
  const cv::Mat color(4, 4, CV_8UC3, cv::Scalar::all(7)), depth(4, 4, CV_16UC1, cv::Scalar(900)),
      greys(4, 4, CV_8UC1, cv::Scalar(9));
  const auto made = [&](const cv::Mat& given, DepthOptions options) {
    options.as = DepthInput::metres;
    return [=] { make_rgbd(color, given, options); };
  };
  expect_mentions(error_of<ArgumentError>(made(greys, {})), {"metres", "greys", "mm, sun, tum or metre"});
  expect_mentions(error_of<ImageError>(made(greys, {.encoding = MillimetreDepth{}})),
                  {"16-bit", "for 8-bit depth pictures pass greys"});
  expect_mentions(
      error_of<ArgumentError>(made(depth, {.encoding = MillimetreDepth{}, .holes = HolePolicy::as_far})),
      {"hole policy", "pass keep"});
  expect_mentions(error_of<ImageError>(made(depth(cv::Rect(0, 0, 2, 4)), {.encoding = MillimetreDepth{}})),
                  {"4x4", "4x2"});
}

/// Networks of which only the inputs matter.
struct ReadsMetres {
  DepthInput depth_input = DepthInput::metres;
};
struct ReadsGreys {};

TEST(MetricDepth, ANetworkRefusesWhatItDoesNotRead) {
  const cv::Mat color(4, 4, CV_8UC3, cv::Scalar::all(7)), depth(4, 4, CV_16UC1, cv::Scalar(900));
  const RgbdImage greys = make_rgbd(color, depth, {.encoding = MillimetreDepth{}});
  const RgbdImage metres = make_rgbd(color, depth, {.encoding = MillimetreDepth{}, .as = DepthInput::metres});
  require_depth_for(ReadsGreys{}, greys, "test");
  require_depth_for(ReadsMetres{}, metres, "test");
  expect_mentions(error_of<ImageError>([&] { require_depth_for(ReadsMetres{}, greys, "test"); }),
                  {"in metres", "holds 8-bit greys", "DepthInput::metres"});
  expect_mentions(error_of<ImageError>([&] { require_depth_for(ReadsGreys{}, metres, "test"); }),
                  {"8-bit greys", "holds metres", "DepthInput::greys"});
}

}  // namespace
}  // namespace dformer
