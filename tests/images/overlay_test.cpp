#include <gtest/gtest.h>
#include <opencv2/core.hpp>

#include "image_test.hpp"
#include <dformer/viz/overlay.hpp>

namespace dformer {
namespace {

using testing::error_of;
using testing::expect_mentions;
using testing::row_of;
using testing::same_pixels;

const ClassList classes(nyu_depth_v2_classes);

OverlayOptions plain(double opacity) {
  OverlayOptions options;
  options.opacity = opacity;
  options.outlines = false;
  options.legend = false;
  return options;
}

TEST(Overlay, BlendsBetweenImageAndLabels) {
  cv::Mat color(3, 4, CV_8UC3);
  cv::randu(color, 0, 256);
  cv::Mat labels(3, 4, CV_8UC1);
  cv::randu(labels, 0, 40);
  EXPECT_TRUE(same_pixels(overlay(color, labels, classes, plain(0)), color));
  EXPECT_TRUE(same_pixels(overlay(color, labels, classes, plain(1)), label_image(labels)));

  const cv::Mat grey(1, 1, CV_8UC3, cv::Scalar(100, 100, 100));
  EXPECT_EQ(overlay(grey, row_of<std::uint8_t>({1}), classes, plain(0.5)).at<cv::Vec3b>(0, 0),
            cv::Vec3b(50, 50, 114));
}

TEST(Overlay, IgnoredPixelsShowTheImage) {
  const cv::Mat grey(1, 2, CV_8UC3, cv::Scalar(100, 100, 100));
  const cv::Mat picture = overlay(grey, row_of<std::uint8_t>({255, 0}), classes, plain(1));
  EXPECT_EQ(picture.at<cv::Vec3b>(0, 0), cv::Vec3b(100, 100, 100));
  EXPECT_EQ(picture.at<cv::Vec3b>(0, 1), cv::Vec3b(0, 0, 0));
}

TEST(Overlay, OutlinesWhereClassesMeet) {
  const cv::Mat black(3, 4, CV_8UC3, cv::Scalar(0, 0, 0));
  cv::Mat labels = cv::Mat::zeros(3, 4, CV_8UC1);
  labels.colRange(2, 4).setTo(1);
  OverlayOptions options = plain(0);
  options.outlines = true;
  const cv::Mat picture = overlay(black, labels, classes, options);
  for (int y = 0; y < 3; ++y) {
    for (int x = 0; x < 4; ++x) EXPECT_EQ(picture.at<cv::Vec3b>(y, x)[0] > 100, x == 1) << y << ", " << x;
  }
}

TEST(Overlay, LegendStandsBesideTheUnchangedPicture) {
  cv::Mat color(60, 80, CV_8UC3);
  cv::randu(color, 0, 256);
  cv::Mat labels(60, 80, CV_8UC1);
  cv::randu(labels, 0, 40);
  OverlayOptions options;
  const cv::Mat with = overlay(color, labels, classes, options);
  options.legend = false;
  const cv::Mat without = overlay(color, labels, classes, options);
  EXPECT_EQ(without.size(), color.size());
  EXPECT_GT(with.cols, color.cols);
  EXPECT_TRUE(same_pixels(with(cv::Rect(0, 0, 80, 60)).clone(), without));
}

TEST(Overlay, OnePixel) {
  const cv::Mat color(1, 1, CV_8UC3, cv::Scalar(1, 2, 3));
  const cv::Mat picture = overlay(color, row_of<std::uint8_t>({3}), classes);
  EXPECT_GE(picture.rows, 18) << "the legend is readable all the same";
}

TEST(Overlay, WhatDoesNotFitIsRejected) {
  const cv::Mat color(2, 2, CV_8UC3, cv::Scalar(0, 0, 0));
  const cv::Mat labels(2, 2, CV_8UC1, cv::Scalar(0));
  expect_mentions(error_of<ImageError>([&] { overlay(labels, labels, classes); }),
                  {"3 channels", "1 channel"});
  expect_mentions(error_of<ImageError>([&] { overlay(color, cv::Mat(2, 3, CV_8UC1), classes); }),
                  {"2x2", "2x3"});
  expect_mentions(error_of<ImageError>([&] { overlay(color, cv::Mat(2, 2, CV_32SC1), classes); }),
                  {"32-bit integer"});
  for (const double opacity : {-0.1, 1.5, std::numeric_limits<double>::quiet_NaN()}) {
    expect_mentions(error_of<ArgumentError>([&] { overlay(color, labels, classes, plain(opacity)); }),
                    {"opacity"});
  }
}

}  // namespace
}  // namespace dformer
