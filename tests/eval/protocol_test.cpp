#include <vector>

#include <gtest/gtest.h>

#include "images/image_test.hpp"
#include <dformer/eval/protocol.hpp>

namespace dformer {
namespace {

using testing::error_of;
using testing::expect_mentions;

TEST(SlidingWindow, OfficialStrides) {
  EXPECT_EQ(SlidingWindow::with_official_stride(480, 640), (SlidingWindow{480, 640, 320, 426}));
  EXPECT_EQ(SlidingWindow::with_official_stride(480, 480), (SlidingWindow{480, 480, 320, 320}));
  EXPECT_EQ(SlidingWindow::with_official_stride(64, 96), (SlidingWindow{64, 96, 42, 64}));
}

TEST(SlidingWindow, TheLastWindowEndsWithTheImage) {
  EXPECT_EQ(window_starts(64, 64, 42), (std::vector{0}));
  EXPECT_EQ(window_starts(65, 64, 42), (std::vector{0, 1}));
  EXPECT_EQ(window_starts(106, 64, 42), (std::vector{0, 42}));
  EXPECT_EQ(window_starts(128, 64, 42), (std::vector{0, 42, 64}));
}

TEST(Protocol, ScaledSizesAreRoundedUp) {
  const auto expect = [](ImageSize image, double scale, ImageSize rounded) {
    EXPECT_EQ(scaled_size(image, scale, 32), rounded) << scale;
  };
  expect({75, 101}, 0.5, {64, 64});
  expect({75, 101}, 0.75, {64, 96});
  expect({75, 101}, 1.0, {96, 128});
  expect({75, 101}, 1.25, {96, 128});
  expect({75, 101}, 1.5, {128, 160});
  expect({480, 640}, 1.25, {608, 800});
  EXPECT_EQ(scaled_size({75, 101}, 1.0, 1), (ImageSize{75, 101}));
}

TEST(Protocol, WhetherOnePassDoes) {
  EXPECT_TRUE(runs_once(Protocol::single_scale(), {75, 101}));
  Protocol protocol;
  protocol.size_multiple = 32;
  EXPECT_TRUE(runs_once(protocol, {96, 128}));
  EXPECT_FALSE(runs_once(protocol, {75, 101}));
  EXPECT_FALSE(runs_once({.flip = true}, {96, 128}));
  EXPECT_FALSE(runs_once({.sliding = SlidingWindow{}}, {96, 128}));
}

TEST(Protocol, SaysAllThatDecidesAScore) {
  expect_mentions(to_string(Protocol::multi_scale_flip()),
                  {"scales 0.5 0.75 1 1.25 1.5", "multiples of 32", "; flip", "whole images", "no padding",
                   "B G R", "(official)", "0.001", "bases fixed"});
  Protocol other;
  other.sliding = SlidingWindow{};
  other.padded_size = ImageSize{531, 730};
  other.absent = AbsentClasses::standard;
  other.color_order = ColorOrder::rgb;
  other.bases_seed = 7;
  expect_mentions(to_string(other), {"scale 1;", "no flip", "window 480x640, stride 320x426",
                                     "padded to 531x730", "R G B", "(standard)", "bases of seed 7"});
  EXPECT_NE(other, Protocol::single_scale());
  EXPECT_EQ(Protocol{}, Protocol::single_scale());
}

TEST(Protocol, WhatCannotBeFollowed) {
  const auto error = [](const Protocol& protocol) {
    return error_of<ArgumentError>([&] { require_valid(protocol); });
  };
  expect_mentions(error({.scales = {}}), {"one scale or more"});
  expect_mentions(error({.scales = {1, 0}}), {"positive"});
  expect_mentions(error({.size_multiple = 0}), {"size_multiple"});
  expect_mentions(error({.sliding = SlidingWindow{64, 64, 65, 32}}), {"64x64", "65x32"});
  expect_mentions(error({.sliding = SlidingWindow{64, 64, 0, 32}}), {"0x32"});
}

}  // namespace
}  // namespace dformer
