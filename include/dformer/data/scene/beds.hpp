#pragma once

#include <algorithm>
#include <cstdint>

#include <dformer/data/scene/finishes.hpp>
#include <dformer/data/scene/furniture.hpp>

namespace dformer::scene {

/// Head against the wall: frame, mattress, blanket, one or two pillows.
inline void build_bed(Assembly& piece, Extent extent) {
  RandomStream& random = piece.random;
  const float w = extent.x / 2;
  const float frame_height = random.uniform(0.22f, 0.34f);
  const float top = frame_height + random.uniform(0.16f, 0.26f);
  const std::uint32_t wood = piece.add(random_furniture(random));
  const std::uint32_t sheet = piece.add(random.chance(0.5f) ? random_paint(random) : random_cloth(random));
  const std::uint32_t blanket = piece.add(random_cloth(random));
  const bool closed = random.chance(0.5f);
  piece.box({-w, 0, closed ? 0.02f : frame_height - 0.16f}, {w, extent.y, frame_height}, wood);
  if (!closed) build_legs(piece, {-w, 0, 0}, {w, extent.y, frame_height - 0.15f}, 0.07f, wood, false);
  piece.box({-w, 0, 0.1f}, {w, 0.06f, extent.z}, wood);
  if (random.chance(0.4f)) piece.box({-w, extent.y - 0.05f, 0}, {w, extent.y, top + 0.12f}, wood);
  piece.box({-w + 0.03f, 0.06f, frame_height}, {w - 0.03f, extent.y - 0.06f, top}, sheet);
  const float fold = extent.y * random.uniform(0.28f, 0.45f);
  const float hang = random.uniform(0.02f, 0.2f);
  piece.box({-w - 0.015f, fold, top - hang}, {w + 0.015f, extent.y - 0.055f, top + 0.05f}, blanket);
  piece.box({-w - 0.02f, fold - 0.02f, top - hang}, {w + 0.02f, fold + 0.25f, top + 0.065f}, sheet);
  const int pillows = extent.x > 1.25f ? 2 : 1;
  const std::uint32_t pillow = piece.add(random.chance(0.5f) ? random_paint(random) : random_cloth(random));
  piece.begin_label(nyu_class("pillow"));
  for (int i = 0; i < pillows; ++i) {
    const float x = pillows == 1 ? 0.0f : (i == 0 ? -w / 2 : w / 2);
    piece.solid(Shape::ellipsoid, tilted({x, 0.33f, top + 0.08f}, -0.25f),
                {std::min(0.36f, w * 0.85f), 0.24f, 0.1f}, pillow);
  }
  piece.end_label();
}

inline constexpr Furniture bed{
    nyu_class("bed"),
    [](RandomStream& random) {
      return Extent{random.chance(0.5f) ? random.uniform(0.9f, 1.1f) : random.uniform(1.4f, 1.8f),
                    random.uniform(1.95f, 2.15f), random.uniform(0.75f, 1.2f)};
    },
    build_bed};

}  // namespace dformer::scene
