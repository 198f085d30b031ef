#include <cmath>

#include <gtest/gtest.h>

#include <dformer/core/random.hpp>
#include <dformer/data/scene/solid.hpp>

namespace dformer::scene {
namespace {

void expect_near(Vec3 a, Vec3 b) {
  EXPECT_NEAR(a.x, b.x, 1e-5f);
  EXPECT_NEAR(a.y, b.y, 1e-5f);
  EXPECT_NEAR(a.z, b.z, 1e-5f);
}

Vec3 normal_at(const Solid& solid, const Ray& ray) {
  return solid.normal(solid.unit(ray.at(solid.enter(ray))));
}

TEST(Solid, BoxIsEnteredAtItsFace) {
  const Solid box(Shape::box, {{0, 5, 0}}, {1, 2, 3});
  const Ray ray({0.5f, 0, 2}, {0, 1, 0});
  EXPECT_FLOAT_EQ(box.enter(ray), 3);
  expect_near(normal_at(box, ray), {0, -1, 0});
  EXPECT_EQ(box.enter({{0.5f, 0, 3.1f}, {0, 1, 0}}), no_hit);
  EXPECT_EQ(box.enter({{0, 0, 0}, {0, -1, 0}}), no_hit) << "the box is behind";
  EXPECT_EQ(box.enter({{0, 5, 0}, {0, 1, 0}}), no_hit) << "the ray starts inside";
}

TEST(Solid, DistancesCountInTheLengthOfTheDirection) {
  const Solid box(Shape::box, {{0, 5, 0}}, {1, 1, 1});
  EXPECT_FLOAT_EQ(box.enter({{0, 0, 0}, {0, 2, 0}}), 2);
}

TEST(Solid, TurnedBoxMeetsItsCornerFirst) {
  const Solid box(Shape::box, turned({0, 5, 0}, 3.14159265f / 4), {1, 1, 1});
  EXPECT_NEAR(box.enter({{0, 0, 0}, {0, 1, 0}}), 5 - std::sqrt(2.0f), 1e-4f);
}

TEST(Solid, CylinderHasSideAndEnds) {
  const Solid cylinder(Shape::cylinder, {{0, 5, 0}}, {1, 1, 2});
  const Ray side({0.6f, 0, 0}, {0, 1, 0});
  EXPECT_NEAR(cylinder.enter(side), 5 - 0.8f, 1e-5f);
  expect_near(normal_at(cylinder, side), {0.6f, -0.8f, 0});
  const Ray top({0.3f, 5, 7}, {0, 0, -1});
  EXPECT_NEAR(cylinder.enter(top), 5, 1e-5f);
  expect_near(normal_at(cylinder, top), {0, 0, 1});
}

TEST(Solid, TaperedCylinderNarrows) {
  // Radius 1 at z = -1 and 0.5 at z = 1: 0.75 in the middle, and its side leans by 0.25 a unit.
  const Solid cone(Shape::cylinder, {{0, 5, 0}}, {1, 1, 1}, 0.5f);
  const Ray ray({0, 0, 0}, {0, 1, 0});
  EXPECT_NEAR(cone.enter(ray), 5 - 0.75f, 1e-5f);
  expect_near(normal_at(cone, ray), normalized({0, -1, 0.25f}));
  EXPECT_NEAR(cone.enter({{0.7f, 5, 3}, {0, 0, -1}}), 3 - 0.2f, 1e-4f) << "past the upper end, on the side";
}

TEST(Solid, EllipsoidIsStretched) {
  const Solid ball(Shape::ellipsoid, {{0, 5, 0}}, {1, 2, 1});
  const Ray ray({0, 0, 0}, {0, 1, 0});
  EXPECT_NEAR(ball.enter(ray), 3, 1e-5f);
  expect_near(normal_at(ball, ray), {0, -1, 0});
  EXPECT_EQ(ball.enter({{1.01f, 0, 0}, {0, 1, 0}}), no_hit);
}

// A group is skipped where its bounds are missed: whatever hits a solid must meet them, just before the hit
// too.
TEST(Bounds, HoldTheSolid) {
  RandomStream random(3, 0);
  const auto somewhere = [&](float reach) {
    return Vec3{random.uniform(-reach, reach), random.uniform(-reach, reach), random.uniform(-reach, reach)};
  };
  int hits = 0;
  for (int i = 0; i < 2000; ++i) {
    const auto shape = static_cast<Shape>(random.below(3));
    const Frame frame = turned(somewhere(1), random.uniform(0, 6)).place(tilted({}, random.uniform(-1, 1)));
    const Vec3 half{random.uniform(0.1f, 1), random.uniform(0.1f, 1), random.uniform(0.1f, 1)};
    const Solid solid(shape, frame, half, random.uniform(0.3f, 1.6f));
    Bounds bounds;
    solid.extend(bounds);
    const Vec3 from = normalized(somewhere(1)) * 6.0f;
    const Ray ray(from, somewhere(1.5f) - from);
    const float distance = solid.enter(ray);
    if (distance == no_hit) continue;
    ++hits;
    EXPECT_TRUE(bounds.meets(ray, distance * 1.0001f));
    EXPECT_LE(dot(solid.normal(solid.unit(ray.at(distance))), ray.direction), 1e-3f) << "outward normals";
  }
  EXPECT_GT(hits, 300);
}

}  // namespace
}  // namespace dformer::scene
