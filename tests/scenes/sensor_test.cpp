#include <cmath>
#include <cstdint>

#include <gtest/gtest.h>

#include "hand_made.hpp"
#include <dformer/data/scene/depth_sensor.hpp>

namespace dformer::testing {
namespace {

using scene::DepthSensor;

cv::Mat measure(const scene::Scene& scene, const scene::Camera& camera, int width, int height,
                const DepthSensor& sensor) {
  RandomStream random(4, 0);
  return scene::measure_depth(scene, camera, scene::cast_rays(scene, camera, width, height), sensor, random);
}

int holes(const cv::Mat& depth, const cv::Rect& area) {
  return area.area() - cv::countNonZero(depth(area));
}

// Disparity is 575 · 0.075 / z. Its noise of 0.1 and its steps of 1/8 make (0.1² + (1/8)²/12)^½ = 0.106, and
// depth varies by z² / (575 · 0.075) times that: 9.9 mm at two metres.
TEST(DepthSensor, NoiseGrowsAsTriangulationSays) {
  const scene::Scene scene = cabinet_before_wall(2);
  const cv::Mat depth = measure(scene, level_camera(320, 240, 280), 320, 240, {});
  const cv::Rect front(110, 70, 100, 100);  // well within the cabinet
  cv::Scalar mean;
  cv::Scalar deviation;
  cv::meanStdDev(depth(front), mean, deviation);
  EXPECT_EQ(holes(depth, front), 0);
  EXPECT_NEAR(mean[0], 2000, 3);
  EXPECT_NEAR(deviation[0], 9.9, 1.0);
}

// The projector stands to the right of the camera, so the wall is dark to it left of the cabinet, by
// focal · baseline · (1 / z_near - 1 / z_far) pixels; right of the cabinet nothing is missing.
TEST(DepthSensor, NearThingsThrowAShadowOfThePattern) {
  DepthSensor sensor;
  sensor.edge_jitter = 0;
  const cv::Mat depth = measure(cabinet_before_wall(2), level_camera(640, 480, 575), 640, 480, sensor);
  const int row = 230;
  const int left = 320 - 144;  // 0.5 m at 2 m
  const double width = 575 * 0.075 * (1.0 / 2 - 1.0 / 4);
  EXPECT_NEAR(holes(depth, {left - 30, row, 30, 1}), width, 1.5);
  EXPECT_EQ(depth.at<std::uint16_t>(row, left - 1), 0);
  EXPECT_EQ(holes(depth, {320 + 146, row, 30, 1}), 0);
}

TEST(DepthSensor, MeasuresWhatIsLabelled) {
  constexpr int width = 320;
  constexpr int height = 240;
  const scene::Scene scene = cabinet_before_wall(2.5f);
  const scene::Camera camera = level_camera(width, height);
  const scene::SurfaceImage surfaces = scene::cast_rays(scene, camera, width, height);
  RandomStream random(4, 0);
  const cv::Mat depth = scene::measure_depth(scene, camera, surfaces, {}, random);
  int measured = 0;
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const double millimetres = depth.at<std::uint16_t>(y, x);
      if (millimetres == 0) continue;
      ++measured;
      const double truth = 1000.0 * static_cast<double>(surfaces.at(x, y).depth);
      // 2.45 deviations of the noise and half a step, through the slope at this depth.
      ASSERT_NEAR(millimetres, truth, 1.0 + truth * truth / 1000 / (575 * 0.075) * 0.32) << x << ", " << y;
    }
  }
  EXPECT_GT(measured, width * height * 9 / 10);
}

TEST(DepthSensor, DoesNotSeeWhatIsTooNearOrTooFar) {
  const scene::Camera camera = level_camera(64, 48);
  DepthSensor sensor;
  sensor.farthest = 3.5f;
  cv::Mat depth = measure(cabinet_before_wall(3), camera, 64, 48, sensor);
  EXPECT_EQ(depth.at<std::uint16_t>(2, 32), 0) << "the wall above the cabinet";
  EXPECT_GT(depth.at<std::uint16_t>(22, 32), 0) << "the cabinet";
  sensor.nearest = 3.3f;
  depth = measure(cabinet_before_wall(3), camera, 64, 48, sensor);
  EXPECT_EQ(cv::countNonZero(depth(cv::Rect(20, 10, 24, 20))), 0);
}

TEST(DepthSensor, LosesGlassAndBlackByTheirShare) {
  scene::Material glass = grey();
  glass.no_depth = 0.5f;
  const cv::Rect front(110, 70, 100, 100);
  const cv::Mat through = measure(cabinet_before_wall(2, glass), level_camera(320, 240, 280), 320, 240, {});
  EXPECT_NEAR(holes(through, front), 5000, 1500);
  scene::Material black = grey();
  black.a = {0.001f, 0.001f, 0.001f};
  const cv::Mat dark = measure(cabinet_before_wall(2, black), level_camera(320, 240, 280), 320, 240, {});
  EXPECT_GT(holes(dark, front), 9000);
}

}  // namespace
}  // namespace dformer::testing
