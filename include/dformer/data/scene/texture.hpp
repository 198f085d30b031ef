#pragma once

#include <algorithm>
#include <cmath>

#include <dformer/data/scene/material.hpp>
#include <dformer/data/scene/noise.hpp>
#include <dformer/data/scene/solid.hpp>

namespace dformer::scene {

/// Where a texture is asked for.
struct TexturePoint {
  Vec3 metres;  ///< along the axes of the body, from the origin of the world: neighbours continue each other
  Vec3 unit;    ///< in the coordinates of the body, -1 … 1
  Vec3 half;    ///< of the body
  int facing;   ///< the axis that the surface faces
  float spacing;  ///< of neighbouring pixels on the surface, in metres
};

namespace detail {

struct SurfaceCoordinates {
  float u;
  float v;
};

/// The two coordinates in the plane of a surface that faces `axis`; v points up where the surface stands.
constexpr SurfaceCoordinates on_surface(Vec3 p, int axis) {
  if (axis == 0) return {p.y, p.z};
  if (axis == 1) return {p.x, p.z};
  return {p.x, p.y};
}

/// 1 where detail of this size can be seen, 0 where it is smaller than a pixel: patterns fade out instead of
/// flickering.
inline float visible(float size, float spacing) {
  return std::clamp(size / spacing - 0.7f, 0.0f, 1.0f);
}

inline float wood_grain(const Material& m, const TexturePoint& p) {
  constexpr float along = 1.3f;
  constexpr float across = 26;
  const bool x_longest = p.half.x >= p.half.y && p.half.x >= p.half.z;
  const bool y_longest = !x_longest && p.half.y >= p.half.z;
  const Vec3 scale = x_longest   ? Vec3{along, across, across}
                     : y_longest ? Vec3{across, along, across}
                                 : Vec3{across, across, along};
  return (rough_noise(p.metres * scale, m.seed) - 0.5f) * visible(0.04f, p.spacing);
}

inline Color wood(const Material& m, const TexturePoint& p) {
  return lerp(m.a, m.b, std::clamp(0.5f + m.strength * 3 * wood_grain(m, p), 0.0f, 1.0f));
}

inline Color planks(const Material& m, const TexturePoint& p) {
  const auto [u, v] = on_surface(p.metres, p.facing);
  const float row = v / m.period;
  const int r = floor_int(row);
  const float board = u / (m.period * 9) + cell_noise(r, 0, 0, m.seed);
  const int b = floor_int(board);
  const float shade = cell_noise(r, b, 1, m.seed);
  const Vec3 grain{u * 1.5f + shade * 40, v * 30, 0};
  const float fine = (rough_noise(grain, m.seed) - 0.5f) * m.strength * visible(0.03f, p.spacing);
  const float seam = std::min(
      {row - static_cast<float>(r), static_cast<float>(r + 1) - row, (board - static_cast<float>(b)) * 9});
  const float gap = seam * m.period < 0.003f ? 1 - 0.45f * visible(0.012f, p.spacing) : 1.0f;
  return lerp(m.a, m.b, std::clamp(shade * 0.7f + 0.15f + fine, 0.0f, 1.0f)) * gap;
}

/// Tiles and bricks: a cell of colour with joints around it.
inline Color cells(const Material& m, const TexturePoint& p, float aspect) {
  auto [u, v] = on_surface(p.metres, p.facing);
  v /= m.period;
  const int row = floor_int(v);
  u /= m.period * aspect;
  if (m.pattern == Pattern::bricks && (row & 1) != 0) u += 0.5f;
  const int column = floor_int(u);
  const float fu = u - static_cast<float>(column);
  const float fv = v - static_cast<float>(row);
  const float joint = std::min(std::min(fu, 1 - fu) * aspect, std::min(fv, 1 - fv)) * m.period;
  const float shade = 1 + m.strength * (cell_noise(column, row, 0, m.seed) - 0.5f);
  const bool second = m.checked && ((row + column) & 1) != 0;
  const Color cell = (second ? m.b : m.a) * shade;
  const float line = joint < 0.004f ? visible(0.015f, p.spacing) : 0.0f;
  return lerp(cell, m.checked ? m.a * 0.6f : m.b, line);
}

inline Color stripes(const Material& m, const TexturePoint& p) {
  const auto [u, v] = on_surface(p.metres, p.facing);
  const float phase = u / m.period - static_cast<float>(floor_int(u / m.period));
  const float band = phase < 0.5f ? 0.0f : 1.0f;
  return lerp(m.a, m.b, 0.5f + (band - 0.5f) * visible(m.period / 2, p.spacing));
}

inline Color weave(const Material& m, const TexturePoint& p) {
  const auto [u, v] = on_surface(p.metres, p.facing);
  const float fine =
      cell_noise(floor_int(u * 250), floor_int(v * 250), p.facing, m.seed) * visible(0.008f, p.spacing);
  const float folds = smooth_noise(p.metres * 6, m.seed);
  return m.a * (1 + m.strength * (fine + folds - 1));
}

inline Color carpet(const Material& m, const TexturePoint& p) {
  const float pile = rough_noise(p.metres * 55, m.seed) - 0.5f;
  const float worn = rough_noise(p.metres * 3, m.seed + 9) - 0.5f;
  return lerp(m.a, m.b,
              std::clamp(0.5f + 2 * m.strength * pile * visible(0.02f, p.spacing) + worn * 0.6f, 0.0f, 1.0f));
}

/// The colour of the topmost of a few discs and bands.
inline Color painting(const Material& m, const TexturePoint& p) {
  const auto [u, v] = on_surface(p.unit, p.facing);
  const auto random = [&](int shape, int what) { return cell_noise(shape, what, 7, m.seed); };
  Color color = lerp(m.a, m.b, 0.5f + 0.5f * v);
  for (int shape = 0; shape < 7; ++shape) {
    const float x = u - (2 * random(shape, 0) - 1);
    const float y = v - (2 * random(shape, 1) - 1);
    const float size = 0.1f + 0.5f * random(shape, 2);
    const bool disc = random(shape, 3) < 0.5f;
    const bool inside =
        disc ? x * x + y * y < size * size : std::abs(y + x * (random(shape, 4) - 0.5f)) < size * 0.35f;
    if (!inside) continue;
    const Color own{random(shape, 5), random(shape, 6), random(shape, 8)};
    color = lerp(own * own, shape % 2 == 0 ? m.a : m.b, 0.35f);
  }
  return color;
}

inline Color outdoors(const Material& m, const TexturePoint& p) {
  const auto [u, v] = on_surface(p.metres, p.facing);
  const float clouds = rough_noise({u * 1.5f, v * 4, 0}, m.seed);
  const Color sky = lerp(m.a, {1, 1, 1}, 0.35f + 0.5f * clouds);
  const float horizon = 1.15f + 0.5f * rough_noise({u * 2.5f, 0, 0}, m.seed + 3);
  if (v > horizon) return sky;
  const float leaves = rough_noise({u * 9, v * 9, 0}, m.seed + 5);
  return m.b * (0.5f + leaves);
}

inline Color screen(const Material& m, const TexturePoint& p) {
  const auto [u, v] = on_surface(p.unit, p.facing);
  return m.a * (1 + 0.6f * (u + v > 0.4f ? 1.0f : 0.0f));
}

}  // namespace detail

/// The colour of a material at a point, linear.
inline Color texture(const Material& m, const TexturePoint& p) {
  switch (m.pattern) {
    case Pattern::plain:
      return m.a * (1 + m.strength * (smooth_noise(p.metres * 5, m.seed) - 0.5f));
    case Pattern::wood:
      return detail::wood(m, p);
    case Pattern::planks:
      return detail::planks(m, p);
    case Pattern::tiles:
      return detail::cells(m, p, 1);
    case Pattern::bricks:
      return detail::cells(m, p, 2.6f);
    case Pattern::stripes:
      return detail::stripes(m, p);
    case Pattern::weave:
      return detail::weave(m, p);
    case Pattern::carpet:
      return detail::carpet(m, p);
    case Pattern::painting:
      return detail::painting(m, p);
    case Pattern::outdoors:
      return detail::outdoors(m, p);
    case Pattern::screen:
      return detail::screen(m, p);
  }
  return m.a;
}

}  // namespace dformer::scene
