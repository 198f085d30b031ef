#pragma once

#include <algorithm>
#include <cstdint>

#include <dformer/data/scene/finishes.hpp>
#include <dformer/data/scene/furniture.hpp>

namespace dformer::scene {

namespace detail {

inline void build_swivel_base(Assembly& piece, float seat_height, float middle) {
  const std::uint32_t metal = piece.add(random_metal(piece.random));
  piece.cylinder({0, middle, 0.08f}, 0.03f, seat_height - 0.08f, metal);
  for (int arm = 0; arm < 5; ++arm) {
    const Frame turn = turned({0, middle, 0.06f}, 1.2566f * static_cast<float>(arm));
    piece.solid(Shape::box, {turn.point({0.13f, 0, 0}), turn.x, turn.y, turn.z}, {0.13f, 0.02f, 0.018f},
                metal);
    piece.ellipsoid(turn.point({0.26f, 0, -0.025f}), {0.03f, 0.03f, 0.03f}, metal);
  }
}

}  // namespace detail

/// With four legs or on castors; upholstered or of wood; the back closed or of bars.
inline void build_chair(Assembly& piece, Extent extent) {
  RandomStream& random = piece.random;
  const float w = extent.x / 2;
  const float seat = random.uniform(0.42f, 0.48f);
  const bool upholstered = random.chance(0.5f);
  const std::uint32_t frame = piece.add(random_furniture(random));
  const std::uint32_t cover = upholstered ? piece.add(random_cloth(random)) : frame;
  const float cushion = upholstered ? random.uniform(0.06f, 0.1f) : 0.04f;
  if (random.chance(0.3f)) {
    detail::build_swivel_base(piece, seat - cushion, extent.y / 2);
  } else {
    build_legs(piece, {-w, 0, 0}, {w, extent.y, seat - cushion}, random.uniform(0.035f, 0.05f), frame,
               random.chance(0.4f));
  }
  piece.box({-w, 0, seat - cushion}, {w, extent.y, seat}, cover);
  const Frame lean = piece.begin_place(tilted({0, 0.02f, seat}, 0.12f));
  const float back = extent.z - seat;
  if (random.chance(0.6f)) {
    piece.box({-w, -0.03f, upholstered ? 0 : back * 0.3f}, {w, upholstered ? 0.04f : 0.0f, back}, cover);
    if (!upholstered) build_legs(piece, {-w, -0.03f, 0}, {w, 0.01f, back * 0.3f}, 0.035f, frame, false);
  } else {
    piece.box({-w, -0.03f, back - 0.1f}, {w, 0, back}, frame);
    const int bars = random.between(3, 6);
    for (int bar = 0; bar < bars; ++bar) {
      const float x = -w + 0.02f + (2 * w - 0.04f) * static_cast<float>(bar) / static_cast<float>(bars - 1);
      piece.box({x - 0.02f, -0.025f, 0}, {x + 0.02f, -0.005f, back - 0.1f}, frame);
    }
  }
  piece.end_place(lean);
}

/// One to three seats between arms, with cushions.
inline void build_sofa(Assembly& piece, Extent extent) {
  RandomStream& random = piece.random;
  const float w = extent.x / 2;
  const float arm = random.uniform(0.12f, 0.24f);
  const float back = random.uniform(0.18f, 0.28f);
  const float seat = random.uniform(0.4f, 0.46f);
  const float arm_height = random.uniform(0.52f, 0.66f);
  const std::uint32_t cover = piece.add(random_cloth(random));
  const std::uint32_t feet = piece.add(random_wood(random));
  build_legs(piece, {-w + 0.03f, 0.03f, 0}, {w - 0.03f, extent.y - 0.03f, 0.09f}, 0.06f, feet, true);
  piece.box({-w, 0, 0.08f}, {w, extent.y - 0.02f, seat - 0.14f}, cover);
  piece.box({-w, 0, 0.08f}, {w, back, extent.z}, cover);
  for (float side : {-1.0f, 1.0f}) {
    const float x = side * (w - arm / 2);
    piece.box({x - arm / 2, 0, 0.08f}, {x + arm / 2, extent.y, arm_height}, cover);
    if (random.chance(0.5f))
      piece.solid(Shape::cylinder, {{x, extent.y / 2, arm_height}, {1, 0, 0}, {0, 0, -1}, {0, 1, 0}},
                  {arm / 2, arm / 2, extent.y / 2}, cover);
  }
  const float inside = extent.x - 2 * arm;
  const int seats = std::max(1, static_cast<int>(inside / 0.65f));
  const float step = inside / static_cast<float>(seats);
  const std::uint32_t pillow = piece.add(random_cloth(random));
  for (int i = 0; i < seats; ++i) {
    const float x = -inside / 2 + (static_cast<float>(i) + 0.5f) * step;
    piece.box({x - step / 2 + 0.008f, back, seat - 0.14f}, {x + step / 2 - 0.008f, extent.y + 0.01f, seat},
              cover);
    piece.solid(Shape::box, tilted({x, back + 0.07f, seat + 0.2f}, 0.2f), {step / 2 - 0.01f, 0.08f, 0.21f},
                cover);
    if (!random.chance(0.5f)) continue;
    piece.begin_label(nyu_class("pillow"));
    piece.solid(Shape::ellipsoid, tilted({x, back + 0.24f, seat + 0.19f}, 0.45f), {0.22f, 0.08f, 0.2f},
                pillow);
    piece.end_label();
  }
}

inline constexpr Furniture chair{
    nyu_class("chair"),
    [](RandomStream& random) {
      const float width = random.uniform(0.42f, 0.52f);
      return Extent{width, width * random.uniform(0.95f, 1.1f), random.uniform(0.82f, 1.05f)};
    },
    build_chair};

inline constexpr Furniture sofa{
    nyu_class("sofa"),
    [](RandomStream& random) {
      return Extent{random.chance(0.3f) ? random.uniform(0.8f, 1.0f) : random.uniform(1.4f, 2.3f),
                    random.uniform(0.8f, 1.0f), random.uniform(0.75f, 0.95f)};
    },
    build_sofa};

}  // namespace dformer::scene
