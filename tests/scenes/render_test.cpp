#include <cmath>
#include <cstdint>

#include <gtest/gtest.h>

#include "hand_made.hpp"
#include "images/image_test.hpp"
#include <dformer/data/scene/render.hpp>
#include <dformer/data/scene/write_dataset.hpp>

namespace dformer::testing {
namespace {

using scene::LabeledView;
using scene::ViewOptions;

// Every pixel of a floor, a wall and a cabinet, computed by hand.
TEST(Render, DepthAndLabelsAreThoseOfTheGeometry) {
  constexpr int width = 320;
  constexpr int height = 240;
  RandomStream random(1, 0);
  const LabeledView view = scene::render(cabinet_before_wall(2.5f), level_camera(width, height), random,
                                         {.width = width, .height = height, .sensor_errors = false});
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const double right = (x + 0.5 - width / 2.0) / 100;
      const double down = (y + 0.5 - height / 2.0) / 100;
      double depth = 4;
      std::uint8_t label = wall_label;
      if (down > 0 && 1 / down < depth) {
        depth = 1 / down;
        label = floor_label;
      }
      // The front of the cabinet, then its sides and its top, which the level camera sees from above 1.5 m
      // never.
      const double column = 2.5 * right;
      const double row = 1 - 2.5 * down;
      if (std::abs(column) < 0.5 && row > 0 && row < 1.5) {
        depth = 2.5;
        label = cabinet_label;
      }
      ASSERT_NEAR(view.depth.at<std::uint16_t>(y, x), depth * 1000, 1.0) << x << ", " << y;
      ASSERT_EQ(view.labels.at<std::uint8_t>(y, x), label) << x << ", " << y;
    }
  }
}

// The colour of a pixel belongs to the surface that its label and depth name, also with nine rays a pixel.
TEST(Render, ColourEdgesAreWhereLabelEdgesAre) {
  scene::Scene scene = cabinet_before_wall(2.5f);
  scene::Material red = grey();
  red.a = {0.8f, 0.02f, 0.02f};
  scene.materials.push_back(red);
  scene.parts.back().material = 1;
  RandomStream random(1, 0);
  const LabeledView view =
      scene::render(scene, level_camera(160, 120, 60), random, {.width = 160, .height = 120});
  int red_pixels = 0;
  for (int y = 0; y < 120; ++y) {
    for (int x = 2; x < 158; ++x) {
      const auto label = [&](int at) { return view.labels.at<std::uint8_t>(y, at); };
      if (y < 2 || y > 117 || label(x - 2) != label(x + 2)) continue;
      if (view.labels.at<std::uint8_t>(y - 2, x) != view.labels.at<std::uint8_t>(y + 2, x)) continue;
      const cv::Vec3b color = view.color.at<cv::Vec3b>(y, x);
      const bool is_red = color[2] > 2 * color[1];
      ASSERT_EQ(is_red, label(x) == cabinet_label) << x << ", " << y;
      red_pixels += is_red ? 1 : 0;
    }
  }
  EXPECT_GT(red_pixels, 400);
}

TEST(Render, CastsShadows) {
  scene::Scene scene = cabinet_before_wall(2.5f);
  scene.ambient = {0.2f, 0.2f, 0.2f};
  scene.lights.push_back({{-2, 1, 2.5f}, {3, 3, 3}, 0.01f});
  RandomStream random(1, 0);
  const scene::Camera camera = level_camera(320, 240);
  const LabeledView view = scene::render(scene, camera, random, {.width = 320, .height = 240});
  // On the wall at z = 1, by the same distance to both sides of the cabinet: one side lies in its shadow.
  const int row = 120;
  const auto at_wall = [&](float x) { return static_cast<int>(160 + x / 4 * 100); };
  const int lit = view.color.at<cv::Vec3b>(row, at_wall(-1.0f))[1];
  const int dark = view.color.at<cv::Vec3b>(row, at_wall(1.0f))[1];
  EXPECT_GT(lit, 2 * dark);
}

TEST(MakeView, IsTheSameEveryTimeAndAnotherForEachIndexAndSeed) {
  const scene::ClassSet classes = scene::make_class_set(scene::default_scene_classes);
  const ViewOptions options{.width = 64, .height = 48};
  const LabeledView first = scene::make_view(5, 7, classes, options);
  const LabeledView again = scene::make_view(5, 7, classes, options);
  EXPECT_TRUE(same_pixels(first.color, again.color));
  EXPECT_TRUE(same_pixels(first.depth, again.depth));
  EXPECT_TRUE(same_pixels(first.labels, again.labels));
  EXPECT_FALSE(same_pixels(first.color, scene::make_view(5, 8, classes, options).color));
  EXPECT_FALSE(same_pixels(first.color, scene::make_view(6, 7, classes, options).color));
}

// One index is one room and one view of it, whatever the size of the picture.
TEST(MakeView, ShowsTheSameRoomInEverySize) {
  const scene::ClassSet classes = scene::make_class_set(scene::default_scene_classes);
  const cv::Mat small = scene::make_view(2, 3, classes, {.width = 80, .height = 60}).labels;
  const cv::Mat large = scene::make_view(2, 3, classes, {.width = 240, .height = 180}).labels;
  int equal = 0;
  for (int y = 0; y < 60; ++y) {
    for (int x = 0; x < 80; ++x)
      equal += small.at<std::uint8_t>(y, x) == large.at<std::uint8_t>(3 * y + 1, 3 * x + 1) ? 1 : 0;
  }
  EXPECT_GT(equal, 80 * 60 * 97 / 100);
}

// Enough of every class to learn it, and no class that drowns the others.
TEST(MakeView, EveryDefaultClassHasItsShare) {
  const scene::ClassSet classes = scene::make_class_set(scene::default_scene_classes);
  LabelCounts counts;
  for (std::uint64_t i = 0; i < 150; ++i)
    counts.add(scene::make_view(1, i, classes, {.width = 32, .height = 32}).labels);
  double sum = counts.share(scene::ignored);
  EXPECT_LT(sum, 0.03);
  for (std::size_t k = 0; k < nyu_depth_v2_classes.size(); ++k) {
    const double share = counts.share(k);
    sum += share;
    if (classes.contains(static_cast<std::uint8_t>(k))) {
      EXPECT_GT(share, 0.01) << nyu_depth_v2_classes[k];
      EXPECT_LT(share, k == wall_label ? 0.5 : 0.2) << nyu_depth_v2_classes[k];
    } else {
      EXPECT_EQ(counts.pixels[k], 0u) << nyu_depth_v2_classes[k];
    }
  }
  EXPECT_NEAR(sum, 1.0, 1e-9);
}

TEST(MakeView, BuildsAllClassesThatItOffers) {
  const scene::ClassSet classes = scene::make_class_set(scene::all_scene_classes);
  EXPECT_EQ(classes.size(), std::size(scene::all_scene_classes));
  LabelCounts counts;
  for (std::uint64_t i = 0; i < 120; ++i)
    counts.add(scene::make_view(1, i, classes, {.width = 32, .height = 32}).labels);
  for (std::size_t k = 0; k < nyu_depth_v2_classes.size(); ++k) {
    EXPECT_EQ(counts.pixels[k] > 0, classes.contains(static_cast<std::uint8_t>(k)))
        << nyu_depth_v2_classes[k];
  }
}

/// A camera that stands against a wall has no depth at all. Of the first 60 views, the 27th was one once.
TEST(MakeView, DepthIsNeverOfOneValue) {
  const scene::ClassSet classes = scene::make_class_set(scene::default_scene_classes);
  for (std::uint64_t i = 0; i < 60; ++i) {
    const cv::Mat depth = scene::make_view(1, i, classes, {.width = 64, .height = 48}).depth;
    double least = 0, most = 0;
    cv::minMaxLoc(depth, &least, &most);
    EXPECT_LT(least, most) << "view " << i;
  }
}

TEST(ClassSet, RefusesWhatCannotBeBuilt) {
  const std::string text = error_of<ArgumentError>([] {
    scene::make_class_set(std::initializer_list<std::string_view>{"chair", "bathtub"});
  });
  expect_mentions(text, {"\"bathtub\"", "chair", "bookshelf"});
}

}  // namespace
}  // namespace dformer::testing
