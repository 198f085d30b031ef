#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <dformer/data/scene/assembly.hpp>
#include <dformer/data/scene/finishes.hpp>
#include <dformer/data/scene/floor_plan.hpp>

namespace dformer::scene {

/// The openings of the four walls, for doors and windows.
using Openings = std::array<std::vector<WallArea>, 4>;

inline constexpr float wall_thickness = 0.16f;

/// One wall with its openings, in the axes of the wall.
inline void build_wall(Assembly& wall, std::vector<WallArea> openings, float length, float height,
                       std::uint32_t material) {
  std::sort(openings.begin(), openings.end(),
            [](const WallArea& a, const WallArea& b) { return a.left < b.left; });
  const auto block = [&](float left, float right, float bottom, float top) {
    if (right > left && top > bottom) wall.box({left, -wall_thickness, bottom}, {right, 0, top}, material);
  };
  float done = -wall_thickness;
  for (const WallArea& opening : openings) {
    block(done, opening.left, 0, height);
    block(opening.left, opening.right, 0, opening.bottom);
    block(opening.left, opening.right, opening.top, height);
    done = opening.right;
  }
  block(done, length + wall_thickness, 0, height);
}

/// Floor, ceiling, walls and the strip along their feet.
inline void build_shell(Scene& scene, const ClassSet& classes, RandomStream& random, const FloorPlan& plan,
                        const Material& wall_material, const Openings& openings) {
  const Vec3 room = plan.room();
  const Material ceiling = random_ceiling(random, wall_material);
  const auto slab = [&](std::uint8_t label, const Material& material, float bottom, float top) {
    Assembly piece(scene, classes, random, {}, label);
    piece.box({-wall_thickness, -wall_thickness, bottom},
              {room.x + wall_thickness, room.y + wall_thickness, top}, piece.add(material));
  };
  slab(nyu_class("floor"), random_floor(random), -0.1f, 0);
  slab(nyu_class("ceiling"), ceiling, room.z, room.z + 0.1f);
  const bool has_strip = random.chance(0.6f);
  const Material strip = random_furniture(random);
  for (int side = 0; side < 4; ++side) {
    Assembly wall(scene, classes, random, plan.wall_frame(side), nyu_class("wall"));
    const auto& holes = openings[static_cast<std::size_t>(side)];
    const float length = plan.wall_length(side);
    build_wall(wall, holes, length, room.z, wall.add(wall_material));
    if (!has_strip) continue;
    const std::uint32_t material = wall.add(strip);
    float done = 0;
    for (const WallArea& hole : holes) {
      if (hole.bottom > 0) continue;
      wall.box({done, 0, 0}, {hole.left - 0.08f, 0.012f, 0.08f}, material);
      done = hole.right + 0.08f;
    }
    wall.box({done, 0, 0}, {length, 0.012f, 0.08f}, material);
  }
}

}  // namespace dformer::scene
