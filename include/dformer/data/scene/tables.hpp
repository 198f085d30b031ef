#pragma once

#include <algorithm>
#include <cstdint>

#include <dformer/data/scene/props.hpp>
#include <dformer/data/scene/seating.hpp>

namespace dformer::scene {

namespace detail {

/// A few small things on a plate: they have no class of their own.
inline void build_clutter(Assembly& piece, Extent extent) {
  RandomStream& random = piece.random;
  const int things = random.between(0, 3);
  for (int i = 0; i < things; ++i) {
    const float x = random.uniform(-0.4f, 0.4f) * extent.x;
    const float y = random.uniform(0.25f, 0.75f) * extent.y;
    const Frame outer = piece.begin_place(turned({x, y, extent.z}, random.uniform(-0.6f, 0.6f)));
    build_small_thing(piece);
    piece.end_place(outer);
  }
}

}  // namespace detail

/// A plate on four legs or, where it is round, on a column.
inline void build_table(Assembly& piece, Extent extent) {
  RandomStream& random = piece.random;
  const float w = extent.x / 2;
  const float plate = random.uniform(0.025f, 0.05f);
  const std::uint32_t top = piece.add(random_furniture(random));
  const std::uint32_t legs = random.chance(0.6f) ? top : piece.add(random_metal(random));
  const bool round = extent.x < 1.3f * extent.y && random.chance(0.5f);
  if (round) {
    const Vec3 middle{0, extent.y / 2, 0};
    piece.solid(Shape::cylinder, {middle + Vec3{0, 0, extent.z - plate / 2}}, {w, extent.y / 2, plate / 2},
                top);
    piece.cylinder(middle, 0.05f, extent.z - plate, legs);
    piece.cylinder(middle, 0.25f, 0.04f, legs, 0.8f);
  } else {
    piece.box({-w, 0, extent.z - plate}, {w, extent.y, extent.z}, top);
    const float inset = random.uniform(0.0f, 0.06f);
    build_legs(piece, {-w + inset, inset, 0}, {w - inset, extent.y - inset, extent.z - plate},
               random.uniform(0.04f, 0.08f), legs, random.chance(0.3f));
    if (random.chance(0.5f))
      piece.box({-w + inset + 0.02f, inset + 0.02f, extent.z - plate - 0.09f},
                {w - inset - 0.02f, extent.y - inset - 0.02f, extent.z - plate}, top);
  }
  detail::build_clutter(piece, extent);
}

/// A table with drawers on one side, for working at.
inline void build_desk(Assembly& piece, Extent extent) {
  RandomStream& random = piece.random;
  const float w = extent.x / 2;
  const std::uint32_t wood = piece.add(random_furniture(random));
  const std::uint32_t handle = piece.add(random_metal(random));
  piece.box({-w, 0, extent.z - 0.035f}, {w, extent.y, extent.z}, wood);
  piece.box({w - 0.4f, 0.02f, 0.05f}, {w - 0.01f, extent.y - 0.03f, extent.z - 0.035f}, wood);
  piece.box({-w + 0.01f, 0.02f, 0}, {-w + 0.05f, extent.y - 0.03f, extent.z - 0.035f}, wood);
  for (int drawer = 0; drawer < 3; ++drawer) {
    const float z = 0.08f + 0.2f * static_cast<float>(drawer);
    piece.box({w - 0.39f, extent.y - 0.03f, z}, {w - 0.02f, extent.y - 0.012f, z + 0.19f}, wood);
    piece.box({w - 0.26f, extent.y - 0.012f, z + 0.1f}, {w - 0.15f, extent.y + 0.01f, z + 0.12f}, handle);
  }
  detail::build_clutter(piece, extent);
}

/// A table in the middle and chairs on two sides of it, drawn up more or less.
inline void build_dining_group(Assembly& piece, Extent extent) {
  RandomStream& random = piece.random;
  constexpr float row = 0.5f;  // left free for the chairs of one side
  const Extent table{extent.x, extent.y - 2 * row, random.uniform(0.7f, 0.77f)};
  Frame outer = piece.begin_place({{0, row, 0}});
  if (piece.wants(nyu_class("table"))) build_table(piece, table);
  piece.end_place(outer);
  if (!piece.wants(nyu_class("chair"))) return;
  piece.begin_label(nyu_class("chair"));
  const int seats = std::max(1, static_cast<int>(extent.x / 0.65f));
  for (int side = 0; side < 2; ++side) {
    for (int i = 0; i < seats; ++i) {
      if (random.chance(0.25f)) continue;
      const float x = extent.x * ((static_cast<float>(i) + 0.5f) / static_cast<float>(seats) - 0.5f);
      const float pulled = random.uniform(-0.05f, 0.12f);
      const float turn = random.uniform(-0.25f, 0.25f);
      outer = piece.begin_place(side == 0 ? turned({x, -pulled, 0}, turn)
                                          : turned({x, extent.y + pulled, 0}, 3.14159f + turn));
      build_chair(piece, chair.draw_extent(random));
      piece.end_place(outer);
    }
  }
  piece.end_label();
}

inline constexpr Furniture table{
    nyu_class("table"),
    [](RandomStream& random) {
      return Extent{random.uniform(0.7f, 1.6f), random.uniform(0.6f, 0.9f), random.uniform(0.68f, 0.78f)};
    },
    build_table};

inline constexpr Furniture coffee_table{
    nyu_class("table"),
    [](RandomStream& random) {
      return Extent{random.uniform(0.6f, 1.2f), random.uniform(0.5f, 0.7f), random.uniform(0.35f, 0.5f)};
    },
    build_table};

inline constexpr Furniture desk{
    nyu_class("desk"),
    [](RandomStream& random) {
      return Extent{random.uniform(1.1f, 1.6f), random.uniform(0.6f, 0.75f), random.uniform(0.7f, 0.77f)};
    },
    build_desk};

inline constexpr Furniture dining_group{
    nyu_class("table"),
    [](RandomStream& random) {
      return Extent{random.uniform(0.9f, 1.8f), random.uniform(1.75f, 1.95f), 1.0f};
    },
    build_dining_group};

}  // namespace dformer::scene
