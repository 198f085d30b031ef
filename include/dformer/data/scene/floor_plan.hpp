#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <optional>
#include <vector>

#include <dformer/core/random.hpp>
#include <dformer/data/scene/furniture.hpp>
#include <dformer/data/scene/wall_items.hpp>

namespace dformer::scene {

/// Seen from above, in metres.
struct PlanArea {
  float left, right, near, far;

  friend bool overlap(const PlanArea& a, const PlanArea& b) {
    return a.left < b.right && b.left < a.right && a.near < b.far && b.near < a.far;
  }
};

/// What is taken of the floor and of the walls of a room.
class FloorPlan {
 public:
  explicit FloorPlan(Vec3 room) : room_(room) {}

  Vec3 room() const { return room_; }
  float wall_length(int wall) const { return wall % 2 == 0 ? room_.x : room_.y; }

  /// The axes of a wall (0 … 3, counter-clockwise): x along it, y into the room, the origin in its first
  /// corner.
  Frame wall_frame(int wall) const {
    switch (wall) {
      case 0:
        return {{0, 0, 0}, {1, 0, 0}, {0, 1, 0}, {0, 0, 1}};
      case 1:
        return {{room_.x, 0, 0}, {0, 1, 0}, {-1, 0, 0}, {0, 0, 1}};
      case 2:
        return {{room_.x, room_.y, 0}, {-1, 0, 0}, {0, -1, 0}, {0, 0, 1}};
      default:
        return {{0, room_.y, 0}, {0, -1, 0}, {1, 0, 0}, {0, 0, 1}};
    }
  }

  struct WallPlace {
    int wall;
    WallArea area;
  };

  /// Takes a free area of a wall, of this size and with its lower edge at `bottom`, and the floor before it
  /// to `depth`. Nothing where a few tries find none.
  std::optional<WallPlace> take_wall(RandomStream& random, float width, float height, float bottom,
                                     float depth, int tries = 12) {
    for (int i = 0; i < tries; ++i) {
      const int wall = random.below(4);
      const float space = wall_length(wall) - width - 2 * corner_;
      const float at = random.uniform();
      if (space < 0) continue;
      const float left = corner_ + space * at;
      const WallArea area{left, left + width, bottom, bottom + height};
      const PlanArea floor = before(wall, left, left + width, depth);
      if (!is_free(wall, area) || (depth > 0 && !is_free(floor))) continue;
      walls_[static_cast<std::size_t>(wall)].push_back(area);
      if (depth > 0) floors_.push_back(floor);
      return WallPlace{wall, area};
    }
    return std::nullopt;
  }

  /// Takes floor for a piece with its back to a wall, as often as not in a corner. Returns the axes of the
  /// piece.
  std::optional<Frame> take_at_wall(RandomStream& random, Extent extent, int tries = 16) {
    for (int i = 0; i < tries; ++i) {
      const int wall = random.below(4);
      const float space = wall_length(wall) - extent.x - 0.06f;
      const float where = random.uniform();
      const float gap = random.uniform(0.005f, 0.04f);
      if (space < 0) continue;
      const float left = 0.03f + space * (where < 0.2f ? 0.0f : where > 0.8f ? 1.0f : (where - 0.2f) / 0.6f);
      const WallArea area{left, left + extent.x, 0, extent.z};
      const PlanArea floor = before(wall, left, left + extent.x, extent.y + gap);
      if (!is_free(wall, area) || !is_free(floor)) continue;
      walls_[static_cast<std::size_t>(wall)].push_back(area);
      floors_.push_back(floor);
      Frame frame = wall_frame(wall);
      frame.origin = frame.point({left + extent.x / 2, gap, 0});
      return frame;
    }
    return std::nullopt;
  }

  /// Takes floor for a piece that stands freely, turned by any multiple of 90 degrees and a little more.
  std::optional<Frame> take_anywhere(RandomStream& random, Extent extent, float unevenness, int tries = 16) {
    for (int i = 0; i < tries; ++i) {
      const float angle =
          1.5707963f * static_cast<float>(random.below(4)) + random.uniform(-unevenness, unevenness);
      const float c = std::abs(std::cos(angle));
      const float s = std::abs(std::sin(angle));
      const float half_x = (c * extent.x + s * extent.y) / 2 + 0.05f;
      const float half_y = (s * extent.x + c * extent.y) / 2 + 0.05f;
      const float x = half_x + (room_.x - 2 * half_x) * random.uniform();
      const float y = half_y + (room_.y - 2 * half_y) * random.uniform();
      if (2 * half_x > room_.x || 2 * half_y > room_.y) continue;
      const PlanArea floor{x - half_x, x + half_x, y - half_y, y + half_y};
      if (!is_free(floor)) continue;
      floors_.push_back(floor);
      Frame frame = turned({x, y, 0}, angle);
      frame.origin = frame.point({0, -extent.y / 2, 0});
      return frame;
    }
    return std::nullopt;
  }

  /// Whether a round thing (a person with a camera) fits there.
  bool has_room(float x, float y, float radius) const {
    return x >= radius && y >= radius && x <= room_.x - radius && y <= room_.y - radius &&
           is_free({x - radius, x + radius, y - radius, y + radius});
  }

 private:
  PlanArea before(int wall, float left, float right, float depth) const {
    const Frame frame = wall_frame(wall);
    const Vec3 a = frame.point({left, 0, 0});
    const Vec3 b = frame.point({right, depth, 0});
    return {std::min(a.x, b.x), std::max(a.x, b.x), std::min(a.y, b.y), std::max(a.y, b.y)};
  }
  bool is_free(int wall, const WallArea& area) const {
    const auto& taken = walls_[static_cast<std::size_t>(wall)];
    return std::none_of(taken.begin(), taken.end(),
                        [&](const WallArea& other) { return overlap(other, area.grown(0.05f)); });
  }
  bool is_free(const PlanArea& area) const {
    return std::none_of(floors_.begin(), floors_.end(),
                        [&](const PlanArea& other) { return overlap(other, area); });
  }

  static constexpr float corner_ = 0.12f;  ///< what hangs on walls keeps this distance from corners
  Vec3 room_;
  std::array<std::vector<WallArea>, 4> walls_;
  std::vector<PlanArea> floors_;
};

}  // namespace dformer::scene
