#pragma once

#include <cstdint>

#include <dformer/data/scene/finishes.hpp>
#include <dformer/data/scene/furniture.hpp>

namespace dformer::scene {

inline Material glowing_shade(RandomStream& random) {
  Material m;
  m.a = hue_color(random.uniform(0.08f, 0.14f), random.uniform(0.1f, 0.3f), 0.95f);
  m.glow = random.chance(0.7f) ? random.uniform(0.5f, 1.3f) : 0.15f;
  m.strength = 0.02f;
  return m;
}

/// A foot, a pole and a shade that narrows upwards.
inline void build_lamp(Assembly& piece, Extent extent) {
  RandomStream& random = piece.random;
  const std::uint32_t metal = piece.add(random_metal(random));
  const std::uint32_t shade = piece.add(glowing_shade(random));
  const Vec3 middle{0, extent.y / 2, 0};
  const float shade_height = extent.y * random.uniform(0.55f, 0.85f);
  piece.cylinder(middle, extent.x * 0.35f, 0.025f, metal);
  piece.cylinder(middle, 0.012f, extent.z - shade_height / 2, metal);
  piece.cylinder(middle + Vec3{0, 0, extent.z - shade_height}, extent.x / 2, shade_height, shade,
                 random.uniform(0.45f, 0.9f));
}

/// Hangs from the ceiling at z = 0.
inline void build_ceiling_lamp(Assembly& piece) {
  RandomStream& random = piece.random;
  const std::uint32_t shade = piece.add(glowing_shade(random));
  const float drop = random.uniform(0.0f, 0.45f);
  const float radius = random.uniform(0.14f, 0.26f);
  piece.begin_label(nyu_class("lamp"));
  if (drop > 0.15f) piece.cylinder({0, 0, -drop}, 0.008f, drop, piece.add(random_metal(random)));
  if (random.chance(0.5f)) {
    piece.ellipsoid({0, 0, -drop - radius * 0.6f}, {radius, radius, radius * 0.6f}, shade);
  } else {
    piece.cylinder({0, 0, -drop - radius}, radius, radius, shade, random.uniform(0.4f, 1.0f));
  }
  piece.end_label();
}

/// A cardboard box, open or closed, at times two of them.
inline void build_cartons(Assembly& piece, Extent extent) {
  RandomStream& random = piece.random;
  Material card = random_wood(random);
  card.pattern = Pattern::plain;
  card.strength = 0.2f;
  const std::uint32_t side = piece.add(card);
  const std::uint32_t tape = piece.add(random_paint(random));
  const float w = extent.x / 2;
  piece.box({-w, 0, 0}, {w, extent.y, extent.z}, side);
  piece.box({-0.025f, -0.001f, extent.z * 0.5f}, {0.025f, extent.y + 0.001f, extent.z + 0.001f}, tape);
  if (!random.chance(0.4f)) return;
  const float shrink = random.uniform(0.6f, 0.9f);
  const Frame on_top = turned({0, extent.y / 2, extent.z + extent.z * 0.35f}, random.uniform(-0.5f, 0.5f));
  piece.solid(Shape::box, on_top, {w * shrink, extent.y / 2 * shrink, extent.z * 0.35f}, side);
}

/// A pot with leaves.
inline void build_plant(Assembly& piece, Extent extent) {
  RandomStream& random = piece.random;
  const std::uint32_t pot = piece.add(random_paint(random));
  Material leaf;
  leaf.a = hue_color(random.uniform(0.22f, 0.38f), random.uniform(0.4f, 0.7f), random.uniform(0.3f, 0.6f));
  leaf.strength = 0.8f;
  leaf.seed = random.bits();
  const std::uint32_t leaves = piece.add(leaf);
  const Vec3 middle{0, extent.y / 2, 0};
  const float height = extent.z * 0.35f;
  piece.cylinder(middle, extent.x * 0.3f, height, pot, 1.3f);
  for (int i = 0; i < 14; ++i) {
    const float out = extent.x * random.uniform(0.1f, 0.4f);
    const Frame turn = turned(middle + Vec3{0, 0, height}, random.uniform(0.0f, 6.28f));
    const Frame lift = turn.place(
        tilted({0, out, random.uniform(0.1f, 0.9f) * (extent.z - height)}, random.uniform(0.2f, 1.2f)));
    piece.solid(Shape::ellipsoid, lift, {0.04f, extent.x * 0.24f, 0.012f}, leaves);
  }
}

/// A screen on a foot.
inline void build_television(Assembly& piece, Extent extent) {
  RandomStream& random = piece.random;
  Material dark;
  dark.pattern = Pattern::screen;
  dark.a = {0.01f, 0.012f, 0.015f};
  dark.gloss = 0.6f;
  dark.no_depth = 0.75f;
  const std::uint32_t display = piece.add(dark);
  const std::uint32_t rim = piece.add(random_metal(random));
  const float w = extent.x / 2;
  const float middle = extent.y / 2;
  piece.box({-w, middle - 0.03f, 0.08f}, {w, middle + 0.02f, extent.z}, rim);
  piece.box({-w + 0.02f, middle, 0.1f}, {w - 0.02f, middle + 0.022f, extent.z - 0.02f}, display);
  piece.box({-0.15f, middle - 0.1f, 0}, {0.15f, middle + 0.1f, 0.015f}, rim);
  piece.box({-0.03f, middle - 0.03f, 0}, {0.03f, middle, 0.1f}, rim);
}

/// Flat on the floor.
inline void build_floor_mat(Assembly& piece, Extent extent) {
  RandomStream& random = piece.random;
  const std::uint32_t pile = piece.add(random.chance(0.5f) ? random_carpet(random) : random_cloth(random));
  const std::uint32_t border = piece.add(random_cloth(random));
  const float w = extent.x / 2;
  piece.box({-w, 0, 0}, {w, extent.y, 0.008f}, border);
  piece.box({-w + 0.08f, 0.08f, 0}, {w - 0.08f, extent.y - 0.08f, 0.012f}, pile);
}

/// A cup, a stack of books, a small box or a closed laptop, at the origin.
inline void build_small_thing(Assembly& piece) {
  RandomStream& random = piece.random;
  const std::uint32_t cover = piece.add(random_cloth(random));
  switch (random.below(3)) {
    case 0:
      return piece.cylinder({0, 0, 0}, random.uniform(0.035f, 0.08f), random.uniform(0.09f, 0.26f), cover,
                            random.uniform(0.6f, 1.3f));
    case 1:
      piece.begin_label(nyu_class("books"));
      for (int i = 0; i < 3; ++i) {
        const float z = 0.035f * static_cast<float>(i);
        const float half = 0.13f - 0.02f * static_cast<float>(i);
        piece.box({-half, -0.09f, z}, {half, 0.09f, z + 0.035f},
                  i == 0 ? cover : piece.add(random_cloth(random)));
      }
      return piece.end_label();
    default:
      piece.begin_label(nyu_class("box"));
      piece.box({-0.12f, -0.08f, 0}, {0.12f, 0.08f, random.uniform(0.05f, 0.2f)}, cover);
      return piece.end_label();
  }
}

inline constexpr Furniture floor_lamp{nyu_class("lamp"),
                                      [](RandomStream& random) {
                                        const float width = random.uniform(0.32f, 0.48f);
                                        return Extent{width, width, random.uniform(1.35f, 1.75f)};
                                      },
                                      build_lamp};

inline constexpr Furniture cartons{
    nyu_class("box"),
    [](RandomStream& random) {
      return Extent{random.uniform(0.3f, 0.6f), random.uniform(0.25f, 0.45f), random.uniform(0.2f, 0.45f)};
    },
    build_cartons};

inline constexpr Furniture plant{nyu_class("otherprop"),
                                 [](RandomStream& random) {
                                   const float width = random.uniform(0.4f, 0.7f);
                                   return Extent{width, width, random.uniform(0.6f, 1.3f)};
                                 },
                                 build_plant};

inline constexpr Furniture television{nyu_class("television"),
                                      [](RandomStream& random) {
                                        const float width = random.uniform(0.7f, 1.2f);
                                        return Extent{width, 0.25f, width * 0.6f + 0.08f};
                                      },
                                      build_television};

inline constexpr Furniture floor_mat{
    nyu_class("floor mat"),
    [](RandomStream& random) {
      return Extent{random.uniform(1.2f, 2.4f), random.uniform(0.9f, 1.6f), 0.012f};
    },
    build_floor_mat};

}  // namespace dformer::scene
