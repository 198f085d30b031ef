#pragma once

#include <algorithm>
#include <cstdint>

#include <dformer/data/scene/finishes.hpp>
#include <dformer/data/scene/furniture.hpp>

namespace dformer::scene {

// What is in a wall or on it. The axes are those of the wall: x along it, y into the room, z up, the origin
// on the floor in its first corner.

/// A rectangle of a wall, in metres.
struct WallArea {
  float left = 0;
  float right = 0;
  float bottom = 0;
  float top = 0;

  float width() const { return right - left; }
  WallArea grown(float by) const { return {left - by, right + by, bottom - by, top + by}; }
  friend bool overlap(const WallArea& a, const WallArea& b) {
    return a.left < b.right && b.left < a.right && a.bottom < b.top && b.bottom < a.top;
  }
};

/// Four bars around an area, inside of it, from y = `back` to `front`.
inline void build_rim(Assembly& wall, const WallArea& a, float bar, float back, float front,
                      std::uint32_t material) {
  wall.box({a.left, back, a.bottom}, {a.right, front, a.bottom + bar}, material);
  wall.box({a.left, back, a.top - bar}, {a.right, front, a.top}, material);
  wall.box({a.left, back, a.bottom + bar}, {a.left + bar, front, a.top - bar}, material);
  wall.box({a.right - bar, back, a.bottom + bar}, {a.right, front, a.top - bar}, material);
}

/// A closed door in its opening, with casing, panels and a handle. Doors often have the colour of the wall.
inline void build_door(Assembly& wall, const WallArea& a, const Material& wall_material) {
  RandomStream& random = wall.random;
  Material finish = random.chance(0.3f) ? wall_material : random_furniture(random);
  if (finish.pattern != Pattern::wood) finish.pattern = Pattern::plain;
  const std::uint32_t leaf = wall.add(finish);
  const std::uint32_t metal = wall.add(random_metal(random));
  const WallArea casing{a.left - 0.07f, a.right + 0.07f, 0, a.top + 0.07f};
  wall.box({casing.left, -0.02f, 0}, {a.left, 0.02f, casing.top}, leaf);
  wall.box({a.right, -0.02f, 0}, {casing.right, 0.02f, casing.top}, leaf);
  wall.box({a.left, -0.02f, a.top}, {a.right, 0.02f, casing.top}, leaf);
  wall.box({a.left, -0.12f, 0}, {a.right, -0.06f, a.top}, leaf);
  const int panels = random.below(4);
  for (int i = 0; i < panels; ++i) {
    const float height = (a.top - 0.3f) / static_cast<float>(panels);
    const float bottom = 0.15f + height * static_cast<float>(i);
    build_rim(wall, {a.left + 0.12f, a.right - 0.12f, bottom + 0.05f, bottom + height - 0.05f}, 0.03f, -0.06f,
              -0.045f, leaf);
  }
  const float handle = random.chance(0.5f) ? a.left + 0.07f : a.right - 0.07f;
  wall.box({handle - 0.02f, -0.06f, 0.95f}, {handle + 0.02f, -0.05f, 1.15f}, metal);
  wall.ellipsoid({handle, -0.02f, 1.05f}, {0.03f, 0.035f, 0.03f}, metal);
}

/// Panes behind a frame, and a sill.
inline void build_window(Assembly& wall, const WallArea& a, float daylight) {
  RandomStream& random = wall.random;
  Material view;
  view.pattern = Pattern::outdoors;
  view.a = hue_color(0.58f, random.uniform(0.1f, 0.5f), 0.95f);
  view.b = hue_color(random.uniform(0.05f, 0.35f), random.uniform(0.1f, 0.6f), random.uniform(0.3f, 0.7f));
  view.glow = 0.15f + daylight;
  view.no_depth = 0.5f;
  view.seed = random.bits();
  const std::uint32_t glass = wall.add(view);
  const std::uint32_t bars = wall.add(random.chance(0.6f) ? random_paint(random) : random_wood(random));
  wall.box({a.left, -0.16f, a.bottom}, {a.right, -0.12f, a.top}, glass);
  build_rim(wall, a, 0.06f, -0.12f, -0.07f, bars);
  const int panes = std::max(1, static_cast<int>(a.width() / random.uniform(0.5f, 0.9f)));
  for (int i = 1; i < panes; ++i) {
    const float x = a.left + a.width() * static_cast<float>(i) / static_cast<float>(panes);
    wall.box({x - 0.03f, -0.12f, a.bottom}, {x + 0.03f, -0.075f, a.top}, bars);
  }
  if (random.chance(0.4f)) {
    const float z = a.bottom + (a.top - a.bottom) * random.uniform(0.5f, 0.75f);
    wall.box({a.left, -0.12f, z - 0.02f}, {a.right, -0.075f, z + 0.02f}, bars);
  }
  wall.box({a.left - 0.04f, -0.07f, a.bottom - 0.03f}, {a.right + 0.04f, 0.05f, a.bottom}, bars);
}

/// Slats from the upper edge of a window downwards, in front of it.
inline void build_blinds(Assembly& wall, const WallArea& window) {
  RandomStream& random = wall.random;
  const std::uint32_t slat = wall.add(random_furniture(random));
  const WallArea a{window.left - 0.03f, window.right + 0.03f, window.bottom, window.top + 0.06f};
  wall.box({a.left, 0.005f, a.top - 0.05f}, {a.right, 0.06f, a.top}, slat);
  const float pitch = random.uniform(0.035f, 0.06f);
  const float tilt = random.uniform(0.9f, 1.35f);
  const float drop = (a.top - a.bottom) * (random.chance(0.5f) ? 1.0f : random.uniform(0.5f, 0.95f));
  const int slats = static_cast<int>((drop - 0.06f) / pitch);
  for (int i = 0; i < slats; ++i) {
    const float z = a.top - 0.06f - pitch * (static_cast<float>(i) + 0.5f);
    const Frame at = tilted({(a.left + a.right) / 2, 0.032f, z}, tilt);
    wall.solid(Shape::box, at, {a.width() / 2, pitch * 0.52f, 0.0015f}, slat);
  }
}

/// A folded cloth hanging from a rod, over `a`.
inline void build_curtain(Assembly& wall, const WallArea& a, const Material& cloth, float fold) {
  const std::uint32_t material = wall.add(cloth);
  const int folds = std::max(2, static_cast<int>(a.width() / fold));
  const float step = a.width() / static_cast<float>(folds);
  for (int i = 0; i < folds; ++i) {
    const float y = i % 2 == 0 ? 0.085f : 0.065f;
    const Vec3 middle{a.left + (static_cast<float>(i) + 0.5f) * step, y, (a.bottom + a.top) / 2};
    wall.solid(Shape::cylinder, {middle}, {step * 0.55f, 0.045f, (a.top - a.bottom) / 2}, material);
  }
}

/// Both halves of the curtains of a window, more or less drawn, and their rod.
inline void build_curtains(Assembly& wall, const WallArea& a) {
  RandomStream& random = wall.random;
  const Material cloth = random_cloth(random);
  const float fold = random.uniform(0.07f, 0.13f);
  const float share = random.chance(0.3f) ? 0.5f : random.uniform(0.22f, 0.38f);
  build_curtain(wall, {a.left, a.left + share * a.width(), a.bottom, a.top}, cloth, fold);
  build_curtain(wall, {a.right - share * a.width(), a.right, a.bottom, a.top}, cloth, fold);
  const std::uint32_t metal = wall.add(random_metal(random));
  const Frame along{{(a.left + a.right) / 2, 0.075f, a.top + 0.015f}, {0, 0, -1}, {0, 1, 0}, {1, 0, 0}};
  wall.solid(Shape::cylinder, along, {0.015f, 0.015f, a.width() / 2 + 0.1f}, metal);
}

/// A painting or a photograph in its frame.
inline void build_picture(Assembly& wall, const WallArea& a) {
  RandomStream& random = wall.random;
  Material art;
  art.pattern = random.chance(0.65f) ? Pattern::painting : Pattern::outdoors;  // a landscape is no window
  art.a = hue_color(random.uniform(), random.uniform(0.0f, 0.6f), random.uniform(0.3f, 0.95f));
  art.b = hue_color(random.uniform(), random.uniform(0.0f, 0.6f), random.uniform(0.3f, 0.95f));
  art.seed = random.bits();
  art.gloss = random.chance(0.5f) ? 0.3f : 0.0f;
  const std::uint32_t frame = wall.add(random_furniture(random));
  const std::uint32_t canvas = wall.add(art);
  const float bar = random.uniform(0.02f, 0.06f);
  build_rim(wall, a, bar, 0, 0.045f, frame);
  wall.box({a.left + bar, 0, a.bottom + bar}, {a.right - bar, 0.025f, a.top - bar}, canvas);
}

/// White, with a few lines of writing.
inline void build_whiteboard(Assembly& wall, const WallArea& a) {
  RandomStream& random = wall.random;
  Material white = random_paint(random);
  white.a = {0.85f, 0.86f, 0.87f};
  white.gloss = 0.25f;
  const std::uint32_t rim = wall.add(random_metal(random));
  build_rim(wall, a, 0.025f, 0, 0.03f, rim);
  wall.box({a.left + 0.025f, 0, a.bottom + 0.025f}, {a.right - 0.025f, 0.015f, a.top - 0.025f},
           wall.add(white));
  const std::uint32_t ink = wall.add(random_cloth(random));
  const int lines = random.below(6);
  for (int i = 0; i < lines; ++i) {
    const float z = a.top - 0.12f - 0.1f * static_cast<float>(i);
    if (z < a.bottom + 0.1f) break;
    wall.box({a.left + 0.12f, 0.01f, z},
             {a.left + 0.12f + a.width() * random.uniform(0.2f, 0.7f), 0.0155f, z + 0.02f}, ink);
  }
}

}  // namespace dformer::scene
