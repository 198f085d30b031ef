#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>

#include <dformer/data/scene/vec3.hpp>

namespace dformer::scene {

inline constexpr float no_hit = std::numeric_limits<float>::infinity();

/// One over each component; huge instead of infinite, which would make slabs of no number.
constexpr Vec3 reciprocal(Vec3 a) {
  const auto one_over = [](float value) { return 1.0f / (value == 0.0f ? 1e-12f : value); };
  return {one_over(a.x), one_over(a.y), one_over(a.z)};
}

struct Ray {
  Vec3 origin;
  Vec3 direction;  ///< of any length; distances along the ray count in it
  Vec3 inverse;    ///< of the direction's components

  constexpr Ray(Vec3 from, Vec3 along) : origin(from), direction(along), inverse(reciprocal(along)) {}
  constexpr Vec3 at(float distance) const { return origin + direction * distance; }
};

/// A box along the axes of the world.
struct Bounds {
  Vec3 low{no_hit, no_hit, no_hit};
  Vec3 high{-no_hit, -no_hit, -no_hit};

  void include(Vec3 p) {
    low = {std::min(low.x, p.x), std::min(low.y, p.y), std::min(low.z, p.z)};
    high = {std::max(high.x, p.x), std::max(high.y, p.y), std::max(high.z, p.z)};
  }
  /// Whether the ray passes through the box within `limit`.
  bool meets(const Ray& ray, float limit) const {
    const Vec3 a = (low - ray.origin) * ray.inverse;
    const Vec3 b = (high - ray.origin) * ray.inverse;
    const float enter =
        std::max(std::max(std::min(a.x, b.x), std::min(a.y, b.y)), std::max(std::min(a.z, b.z), 0.0f));
    const float leave =
        std::min(std::min(std::max(a.x, b.x), std::max(a.y, b.y)), std::min(std::max(a.z, b.z), limit));
    return enter <= leave;
  }
};

enum class Shape : std::uint8_t {
  box,
  cylinder,  ///< along z, of elliptic section, and narrowing or widening towards its upper end
  ellipsoid,
};

/// A convex body: the cube, cylinder or ball between -1 and 1, stretched by `half` and placed by `frame`.
class Solid {
 public:
  /// `taper`: of a cylinder, the radius at its upper end over the one at its lower end.
  Solid(Shape shape, const Frame& frame, Vec3 half, float taper = 1)
      : frame_(frame),
        half_(half),
        rows_{frame.x * (1 / half.x), frame.y * (1 / half.y), frame.z * (1 / half.z)},
        widest_(std::max(1.0f, taper)),
        radius_{(1 + taper) / 2, (taper - 1) / 2},
        shape_(shape) {}

  const Frame& frame() const { return frame_; }
  Vec3 half() const { return half_; }
  Shape shape() const { return shape_; }

  /// The distance at which the ray enters; `no_hit` where it misses or starts inside.
  float enter(const Ray& ray) const {
    const Vec3 origin = unit(ray.origin);
    const Vec3 direction{dot(rows_[0], ray.direction), dot(rows_[1], ray.direction),
                         dot(rows_[2], ray.direction)};
    switch (shape_) {
      case Shape::box:
        return enter_box(origin, direction);
      case Shape::cylinder:
        return enter_cylinder(origin, direction);
      case Shape::ellipsoid:
        break;
    }
    return enter_ball(origin, direction);
  }

  /// A point of the world in the coordinates of the body, -1 … 1 in it.
  Vec3 unit(Vec3 point) const {
    const Vec3 from = point - frame_.origin;
    return {dot(rows_[0], from), dot(rows_[1], from), dot(rows_[2], from)};
  }

  /// The axis (0, 1, 2) that the surface at a point, in coordinates of the body, faces the most.
  int facing(Vec3 p) const {
    const Vec3 a{std::abs(p.x), std::abs(p.y), std::abs(p.z)};
    if (shape_ == Shape::cylinder) return a.z > 0.9999f ? 2 : (a.x > a.y ? 0 : 1);
    return a.x > a.y ? (a.x > a.z ? 0 : 2) : (a.y > a.z ? 1 : 2);
  }

  /// The outward normal, of length one, at a point of the surface in coordinates of the body.
  Vec3 normal(Vec3 p) const {
    const int axis = facing(p);
    if (shape_ == Shape::box || (shape_ == Shape::cylinder && axis == 2)) {
      const std::array<Vec3, 3> axes{frame_.x, frame_.y, frame_.z};
      const std::array<float, 3> along{p.x, p.y, p.z};
      const auto i = static_cast<std::size_t>(axis);
      return along[i] < 0 ? -axes[i] : axes[i];
    }
    if (shape_ == Shape::cylinder) p.z = -radius_[1] * (radius_[0] + radius_[1] * p.z);
    return normalized(rows_[0] * p.x + rows_[1] * p.y + rows_[2] * p.z);
  }

  /// The smallest box of the world that holds the corners of the body's own box.
  void extend(Bounds& bounds) const {
    for (int corner = 0; corner < 8; ++corner) {
      const auto side = [&](int bit) { return (corner >> bit & 1) != 0 ? 1.0f : -1.0f; };
      bounds.include(frame_.point(half_ * Vec3{side(0) * widest_, side(1) * widest_, side(2)}));
    }
  }

 private:
  static float enter_box(Vec3 o, Vec3 d) {
    const Vec3 inverse = reciprocal(d);
    const Vec3 middle = -o * inverse;
    const Vec3 reach{std::abs(inverse.x), std::abs(inverse.y), std::abs(inverse.z)};
    const Vec3 enter = middle - reach;
    const Vec3 leave = middle + reach;
    const float near = std::max(std::max(enter.x, enter.y), enter.z);
    const float far = std::min(std::min(leave.x, leave.y), leave.z);
    return near <= far && near > 0 ? near : no_hit;
  }

  static float enter_ball(Vec3 o, Vec3 d) {
    const float a = dot(d, d);
    const float b = dot(o, d);
    const float discriminant = b * b - a * (dot(o, o) - 1);
    if (discriminant < 0) return no_hit;
    const float t = (-b - std::sqrt(discriminant)) / a;
    return t > 0 ? t : no_hit;
  }

  float enter_cylinder(Vec3 o, Vec3 d) const {
    float best = no_hit;
    // The side: x² + y² = r(z)², with the radius r(z) = radius_[0] + radius_[1] z.
    const float r = radius_[0] + radius_[1] * o.z;
    const float slope = radius_[1] * d.z;
    const float a = d.x * d.x + d.y * d.y - slope * slope;
    const float b = o.x * d.x + o.y * d.y - r * slope;
    const float discriminant = b * b - a * (o.x * o.x + o.y * o.y - r * r);
    if (discriminant >= 0 && a != 0) {
      const float t = (-b - std::sqrt(discriminant)) / a;
      if (t > 0 && std::abs(o.z + t * d.z) <= 1) best = t;
    }
    if (d.z != 0) {
      const float side = d.z > 0 ? -1.0f : 1.0f;  // the end that the ray meets first
      const float t = (side - o.z) / d.z;
      const float x = o.x + t * d.x;
      const float y = o.y + t * d.y;
      const float end = radius_[0] + radius_[1] * side;
      if (t > 0 && x * x + y * y <= end * end) best = std::min(best, t);
    }
    return best;
  }

  Frame frame_;
  Vec3 half_;
  std::array<Vec3, 3> rows_;  ///< the axes over the half lengths
  float widest_;
  std::array<float, 2> radius_;
  Shape shape_;
};

}  // namespace dformer::scene
