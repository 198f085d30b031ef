#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

#include <dformer/core/random.hpp>
#include <dformer/data/scene/class_set.hpp>
#include <dformer/data/scene/furnisher.hpp>

namespace dformer::scene {

/// A pinhole camera. Pixel (x, y) has its middle at (x + 0.5, y + 0.5).
struct Camera {
  Vec3 position;
  Vec3 right{1, 0, 0};
  Vec3 down{0, 0, -1};
  Vec3 forward{0, 1, 0};
  float focal = 1;  ///< in pixels, as the principal point
  float center_x = 0;
  float center_y = 0;

  /// The direction has length one along the optical axis, so that distances along the ray are depths.
  Ray ray(float x, float y) const {
    return {position, forward + right * ((x - center_x) / focal) + down * ((y - center_y) / focal)};
  }
};

/// `yaw` counter-clockwise from the x axis, `pitch` upwards, `roll` about the optical axis; radians.
inline Camera make_camera(Vec3 position, float yaw, float pitch, float roll, float field_of_view, int width,
                          int height) {
  Camera camera;
  camera.position = position;
  camera.forward = {std::cos(yaw) * std::cos(pitch), std::sin(yaw) * std::cos(pitch), std::sin(pitch)};
  const Vec3 level{std::sin(yaw), -std::cos(yaw), 0};
  const Vec3 below = cross(camera.forward, level);
  camera.right = level * std::cos(roll) + below * std::sin(roll);
  camera.down = below * std::cos(roll) - level * std::sin(roll);
  camera.focal = static_cast<float>(width) / 2 / std::tan(field_of_view / 2);
  camera.center_x = static_cast<float>(width) / 2;
  camera.center_y = static_cast<float>(height) / 2;
  return camera;
}

/// How much there is to see: the number of classes that fill at least a fiftieth of the view. Negative for
/// views that are blocked by something near.
inline float rate_view(const Scene& scene, const Camera& camera, int width, int height) {
  constexpr int columns = 16;
  constexpr int rows = 12;
  std::array<int, 256> counts{};
  int near = 0;
  for (int row = 0; row < rows; ++row) {
    for (int column = 0; column < columns; ++column) {
      const Hit hit = scene.first_hit(
          camera.ray((static_cast<float>(column) + 0.5f) * static_cast<float>(width) / columns,
                     (static_cast<float>(row) + 0.5f) * static_cast<float>(height) / rows));
      if (hit) ++counts[scene.parts[hit.part].label];
      if (hit.distance < 0.9f) ++near;
    }
  }
  if (near > rows * columns / 20) return -static_cast<float>(near);
  const auto seen =
      std::count_if(counts.begin(), counts.end() - 1, [](int count) { return count * 50 >= rows * columns; });
  return static_cast<float>(seen);
}

/// A camera at the height of a hand or an eye that looks at a piece of furniture: the best of a few.
inline Camera choose_camera(RandomStream& random, const Room& room, int width, int height) {
  const Vec3 size = room.scene.size;
  const float field_of_view = random.uniform(0.96f, 1.16f);
  Camera best;
  float best_rating = -no_hit;
  int rated = 0;
  // Small rooms may have no place that is good; one that is not blocked is looked for longer, and less far
  // from furniture and walls.
  constexpr int good_attempts = 60, attempts = 300;
  for (int attempt = 0; attempt < attempts; ++attempt) {
    if (best_rating >= 0 && (rated >= 6 || attempt >= good_attempts)) break;
    const bool good = attempt < good_attempts;
    const Vec3 at{size.x * random.uniform(), size.y * random.uniform(), random.uniform(1.0f, 1.75f)};
    const Vec3 sight =
        room.sights.empty()
            ? size * 0.5f
            : room.sights[static_cast<std::size_t>(random.below(static_cast<int>(room.sights.size())))];
    const Vec3 way = sight - at;
    const float distance = std::hypot(way.x, way.y);
    const float yaw = std::atan2(way.y, way.x) + random.uniform(-0.3f, 0.3f);
    const float pitch =
        std::clamp(std::atan2(way.z, distance) * 0.6f + random.uniform(-0.12f, 0.16f), -0.5f, 0.2f);
    const float roll = random.uniform(-0.05f, 0.05f);
    const float shift_x = random.uniform(-0.02f, 0.02f);
    const float shift_y = random.uniform(-0.02f, 0.02f);
    const bool last = attempt == attempts - 1 && rated == 0;
    const bool stands_free = room.plan.has_room(at.x, at.y, good ? 0.35f : 0.2f);
    if (!last && (distance < (good ? 1.4f : 0.9f) || !stands_free)) continue;
    Camera camera = make_camera(at, yaw, pitch, roll, field_of_view, width, height);
    camera.center_x += shift_x * static_cast<float>(width);
    camera.center_y += shift_y * static_cast<float>(width);
    const float rating = rate_view(room.scene, camera, width, height) + random.uniform(0.0f, 1.5f);
    if (rating > best_rating) {
      best_rating = rating;
      best = camera;
    }
    ++rated;
  }
  return best;
}

}  // namespace dformer::scene
