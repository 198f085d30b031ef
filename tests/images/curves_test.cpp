#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <opencv2/core.hpp>

#include <dformer/viz/axis.hpp>
#include <dformer/viz/curves.hpp>

namespace dformer {
namespace {

std::vector<std::string> tick_texts(std::vector<double> values, int count, bool logarithmic = false,
                                    double least = 0) {
  Axis axis(logarithmic);
  for (double value : values) axis.include(value);
  axis.widen();
  std::vector<std::string> texts;
  for (const Axis::Tick& tick : axis.ticks(count, least)) texts.push_back(tick.text);
  return texts;
}
using Texts = std::vector<std::string>;

TEST(Axis, TicksAreRoundNumbers) {
  EXPECT_EQ(tick_texts({0.3, 0.79}, 5), (Texts{"0", "0.2", "0.4", "0.6", "0.8"}));
  EXPECT_EQ(tick_texts({0, 6e-5}, 4), (Texts{"0", "2e-5", "4e-5", "6e-5"}));
  EXPECT_EQ(tick_texts({0, 50000}, 6), (Texts{"0", "10000", "20000", "30000", "40000", "50000"}));
  EXPECT_EQ(tick_texts({100, 101}, 3), (Texts{"100.0", "100.5", "101.0"}));
  EXPECT_EQ(tick_texts({-3, -1}, 4), (Texts{"-3", "-2", "-1", "0"}));
  EXPECT_EQ(tick_texts({0, 3}, 10, false, 1), (Texts{"0", "1", "2", "3"}));
  EXPECT_EQ(tick_texts({0, 2e9}, 3), (Texts{"0", "1e9", "2e9"}));
}

TEST(Axis, LogarithmicTicksArePowers) {
  EXPECT_EQ(tick_texts({1e-3, 10}, 5, true), (Texts{"0.001", "0.01", "0.1", "1", "10"}));
  EXPECT_EQ(tick_texts({0.3, 4}, 5, true), (Texts{"0.5", "1", "2"}));
}

TEST(Axis, OneValueAndNoneHaveAnExtent) {
  EXPECT_FALSE(tick_texts({7}, 5).empty());
  EXPECT_FALSE(tick_texts({0}, 5).empty());
  EXPECT_FALSE(tick_texts({}, 5).empty());
  EXPECT_FALSE(tick_texts({}, 5, true).empty());
  EXPECT_FALSE(tick_texts({2}, 5, true).empty());
}

TEST(Axis, LeavesOutWhatHasNoPlace) {
  Axis axis(true);
  for (double value : {std::nan(""), std::numeric_limits<double>::infinity(), -1.0, 0.0}) {
    EXPECT_FALSE(axis.shows(value));
    axis.include(value);
  }
  EXPECT_TRUE(axis.empty());
}

/// Columns in which a colour appears below the names.
std::vector<int> columns_with(const cv::Mat& picture, cv::Vec3b color, int top) {
  std::vector<int> columns;
  for (int x = 0; x < picture.cols; ++x) {
    bool found = false;
    for (int y = top; y < picture.rows; ++y) found = found || picture.at<cv::Vec3b>(y, x) == color;
    if (found) columns.push_back(x);
  }
  return columns;
}

TEST(CurvesPicture, EveryCurveHasItsColor) {
  Chart chart{"Loss", {}};
  for (int i = 0; i < 3; ++i) {
    chart.curves.push_back({"curve " + std::to_string(i), {0, 100}, {i + 0.3, i + 0.6}});
  }
  const cv::Mat picture =
      curves_picture(std::vector<Chart>{chart, chart}, {.width = 600, .chart_height = 200});
  EXPECT_EQ(picture.size(), cv::Size(600, 400));
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_GT(columns_with(picture, detail::curve_color(i), 240).size(), 200u) << i;
  }
}

TEST(CurvesPicture, WhatIsNotFiniteIsAGap) {
  Curve whole{"loss", {}, {}};
  for (int i = 0; i < 100; ++i) {
    whole.x.push_back(i);
    whole.y.push_back(1);
  }
  Curve broken = whole;
  for (std::size_t i = 40; i < 60; ++i) broken.y[i] = std::nan("");
  const auto columns = [](const Curve& curve) {
    return columns_with(
               curves_picture(std::vector<Chart>{{"", {curve}}}, {.width = 600, .chart_height = 200}),
               detail::curve_color(0), 40)
        .size();
  };
  const std::size_t all = columns(whole);
  const std::size_t some = columns(broken);
  EXPECT_GT(all, 400u);
  EXPECT_LT(some, all * 85 / 100);
  EXPECT_GT(some, all * 70 / 100);
}

TEST(CurvesPicture, DrawsNothingYetAndManyLongNames) {
  EXPECT_FALSE(curves_picture(std::vector<Chart>{{"Empty", {}}}).empty());
  Chart chart{std::string(100, 't'), {}};
  for (int i = 0; i < 12; ++i) chart.curves.push_back({std::string(80, 'n'), {1}, {std::nan("")}});
  EXPECT_FALSE(curves_picture(std::vector<Chart>{chart}, {.width = 240, .chart_height = 160}).empty());
}

TEST(CurvesPicture, RejectsWhatItCannotDraw) {
  EXPECT_THROW(curves_picture({}), ArgumentError);
  EXPECT_THROW(curves_picture(std::vector<Chart>{{"", {{"loss", {1, 2}, {1}}}}}), ArgumentError);
  EXPECT_THROW(curves_picture(std::vector<Chart>{{"", {}}}, {.width = 100}), ArgumentError);
  EXPECT_THROW(curves_picture(std::vector<Chart>{{"", {}}}, {.chart_height = 100}), ArgumentError);
}

}  // namespace
}  // namespace dformer
