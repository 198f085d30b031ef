#pragma once

#include <cmath>

namespace dformer::scene {

/// A point, a direction, or a colour (linear red, green, blue). Lengths are metres; z points up.
struct Vec3 {
  float x = 0;
  float y = 0;
  float z = 0;

  friend constexpr Vec3 operator+(Vec3 a, Vec3 b) { return {a.x + b.x, a.y + b.y, a.z + b.z}; }
  friend constexpr Vec3 operator-(Vec3 a, Vec3 b) { return {a.x - b.x, a.y - b.y, a.z - b.z}; }
  friend constexpr Vec3 operator-(Vec3 a) { return {-a.x, -a.y, -a.z}; }
  friend constexpr Vec3 operator*(Vec3 a, float s) { return {a.x * s, a.y * s, a.z * s}; }
  friend constexpr Vec3 operator*(float s, Vec3 a) { return a * s; }
  /// Component by component, as light times reflectance.
  friend constexpr Vec3 operator*(Vec3 a, Vec3 b) { return {a.x * b.x, a.y * b.y, a.z * b.z}; }
  constexpr Vec3& operator+=(Vec3 other) { return *this = *this + other; }
  friend constexpr bool operator==(Vec3, Vec3) = default;
};

using Color = Vec3;

constexpr float dot(Vec3 a, Vec3 b) {
  return a.x * b.x + a.y * b.y + a.z * b.z;
}
constexpr Vec3 cross(Vec3 a, Vec3 b) {
  return {a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x};
}
inline float length(Vec3 a) {
  return std::sqrt(dot(a, a));
}
inline Vec3 normalized(Vec3 a) {
  return a * (1.0f / length(a));
}
constexpr Vec3 lerp(Vec3 a, Vec3 b, float t) {
  return a + (b - a) * t;
}

/// A right-handed system of axes of length one at an origin.
struct Frame {
  Vec3 origin;
  Vec3 x{1, 0, 0};
  Vec3 y{0, 1, 0};
  Vec3 z{0, 0, 1};

  constexpr Vec3 direction(Vec3 local) const { return x * local.x + y * local.y + z * local.z; }
  constexpr Vec3 point(Vec3 local) const { return origin + direction(local); }
  /// A direction of the world in these axes.
  constexpr Vec3 local(Vec3 world) const { return {dot(world, x), dot(world, y), dot(world, z)}; }
  /// A frame that was given in the axes of this one.
  constexpr Frame place(const Frame& inner) const {
    return {point(inner.origin), direction(inner.x), direction(inner.y), direction(inner.z)};
  }
};

/// A frame turned by `angle` (radians, counter-clockwise seen from above) about the vertical.
inline Frame turned(Vec3 origin, float angle) {
  const float c = std::cos(angle);
  const float s = std::sin(angle);
  return {origin, {c, s, 0}, {-s, c, 0}, {0, 0, 1}};
}

/// A frame tilted by `angle` (radians) about its x axis: y rises towards z.
inline Frame tilted(Vec3 origin, float angle) {
  const float c = std::cos(angle);
  const float s = std::sin(angle);
  return {origin, {1, 0, 0}, {0, c, s}, {0, -s, c}};
}

}  // namespace dformer::scene
