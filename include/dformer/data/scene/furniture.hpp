#pragma once

#include <cstdint>

#include <dformer/data/scene/assembly.hpp>

namespace dformer::scene {

/// Width, depth and height of a piece, in metres: the room that it takes.
using Extent = Vec3;

/// A kind of furniture: how large one is, and how one of that size is built.
struct Furniture {
  std::uint8_t label;
  Extent (*draw_extent)(RandomStream& random);
  void (*build)(Assembly& piece, Extent extent);
};

/// Four legs below a plate at height `top`.
inline void build_legs(Assembly& piece, Vec3 low, Vec3 high, float thickness, std::uint32_t material,
                       bool round) {
  for (int corner = 0; corner < 4; ++corner) {
    const float x = (corner & 1) != 0 ? high.x - thickness : low.x;
    const float y = (corner & 2) != 0 ? high.y - thickness : low.y;
    if (round) {
      piece.cylinder({x + thickness / 2, y + thickness / 2, low.z}, thickness / 2, high.z - low.z, material,
                     1.3f);
    } else {
      piece.box({x, y, low.z}, {x + thickness, y + thickness, high.z}, material);
    }
  }
}

}  // namespace dformer::scene
