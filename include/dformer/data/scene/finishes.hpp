#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

#include <dformer/core/random.hpp>
#include <dformer/data/scene/material.hpp>

namespace dformer::scene {

// What things are made of. Walls, ceilings, floors, doors and furniture draw from the same woods and paints,
// and beds, sofas, chairs and curtains from the same cloths, so that colour alone does not tell one from
// another.

/// A colour of hue, saturation and brightness (0 … 1), linear.
inline Color hue_color(float hue, float saturation, float brightness) {
  const auto channel = [&](float shift) {
    const float h = hue + shift;
    const float wave = std::abs((h - std::floor(h)) * 6 - 3) - 1;
    const float value = brightness * (1 - saturation * (1 - std::clamp(wave, 0.0f, 1.0f)));
    return value * value;
  };
  return {channel(0), channel(2.0f / 3), channel(1.0f / 3)};
}

/// Mostly light and pale, at times strong.
inline Material random_paint(RandomStream& random) {
  Material m;
  const bool strong = random.chance(0.2f);
  const float brightness = strong ? random.uniform(0.35f, 0.75f) : random.uniform(0.68f, 0.95f);
  m.a = hue_color(random.chance(0.6f) ? random.uniform(0.05f, 0.17f) : random.uniform(),
                  strong ? random.uniform(0.2f, 0.65f) : random.uniform(0.0f, 0.2f), brightness);
  m.strength = 0.05f;
  m.seed = random.bits();
  return m;
}

inline Material random_wood(RandomStream& random) {
  struct Kind {
    float hue, saturation, brightness;
  };
  constexpr std::array<Kind, 7> kinds{{{0.09f, 0.45f, 0.78f},    // oak
                                       {0.11f, 0.38f, 0.88f},    // pine
                                       {0.06f, 0.5f, 0.45f},     // walnut
                                       {0.045f, 0.6f, 0.58f},    // cherry
                                       {0.08f, 0.1f, 0.62f},     // grey
                                       {0.1f, 0.06f, 0.92f},     // white
                                       {0.07f, 0.35f, 0.27f}}};  // wenge
  const Kind kind = kinds[static_cast<std::size_t>(random.below(kinds.size()))];
  const float brightness = kind.brightness * random.uniform(0.88f, 1.08f);
  Material m;
  m.pattern = Pattern::wood;
  m.a = hue_color(kind.hue + random.uniform(-0.015f, 0.015f), kind.saturation, brightness);
  m.b = m.a * random.uniform(0.5f, 0.75f);
  m.strength = random.uniform(0.5f, 1.0f);
  m.gloss = random.chance(0.4f) ? random.uniform(0.05f, 0.25f) : 0.0f;
  m.seed = random.bits();
  return m;
}

/// For doors and for what has legs or shelves: wood, or painted.
inline Material random_furniture(RandomStream& random) {
  return random.chance(0.7f) ? random_wood(random) : random_paint(random);
}

inline Material random_metal(RandomStream& random) {
  Material m;
  m.a =
      hue_color(0.6f, 0.05f, random.chance(0.5f) ? random.uniform(0.12f, 0.25f) : random.uniform(0.6f, 0.8f));
  m.gloss = 0.5f;
  m.no_depth = 0.35f;
  return m;
}

inline Material random_cloth(RandomStream& random) {
  Material m;
  m.pattern = random.chance(0.25f) ? Pattern::stripes : Pattern::weave;
  const bool pale = random.chance(0.45f);
  m.a = hue_color(random.uniform(), pale ? random.uniform(0.0f, 0.25f) : random.uniform(0.2f, 0.7f),
                  pale ? random.uniform(0.7f, 0.95f) : random.uniform(0.25f, 0.75f));
  m.b = random.chance(0.5f) ? m.a * random.uniform(0.45f, 0.8f)
                            : hue_color(random.uniform(), 0.2f, random.uniform(0.5f, 0.9f));
  m.period = random.uniform(0.05f, 0.2f);
  m.strength = random.uniform(0.15f, 0.4f);
  m.seed = random.bits();
  return m;
}

inline Material random_tiles(RandomStream& random) {
  Material m = random_paint(random);
  m.pattern = random.chance(0.75f) ? Pattern::tiles : Pattern::bricks;
  m.period = m.pattern == Pattern::tiles ? random.uniform(0.15f, 0.5f) : random.uniform(0.07f, 0.14f);
  m.checked = m.pattern == Pattern::tiles && random.chance(0.3f);
  m.b = m.a * (m.checked ? random.uniform(0.2f, 0.6f) : random.uniform(0.35f, 0.7f));
  m.strength = random.uniform(0.05f, 0.3f);
  m.gloss = random.chance(0.5f) ? 0.15f : 0.0f;
  return m;
}

inline Material random_planks(RandomStream& random) {
  Material m = random_wood(random);
  m.pattern = Pattern::planks;
  m.b = m.a * random.uniform(0.6f, 0.85f);
  m.period = random.uniform(0.08f, 0.18f);
  m.strength = random.uniform(0.3f, 0.7f);
  return m;
}

inline Material random_carpet(RandomStream& random) {
  Material m = random_cloth(random);
  m.pattern = Pattern::carpet;
  m.b = m.a * random.uniform(0.45f, 0.8f);
  return m;
}

inline Material random_wall(RandomStream& random) {
  const float kind = random.uniform();
  if (kind < 0.66f) return random_paint(random);
  if (kind < 0.78f) {
    Material paper = random_paint(random);
    paper.pattern = Pattern::stripes;
    paper.period = random.uniform(0.12f, 0.4f);
    paper.b = paper.a * random.uniform(0.7f, 0.93f);
    return paper;
  }
  return kind < 0.9f ? random_planks(random) : random_tiles(random);
}

inline Material random_floor(RandomStream& random) {
  const float kind = random.uniform();
  if (kind < 0.42f) return random_planks(random);
  if (kind < 0.65f) return random_carpet(random);
  return kind < 0.85f ? random_tiles(random) : random_paint(random);
}

/// Often painted as the walls are.
inline Material random_ceiling(RandomStream& random, const Material& wall) {
  const float kind = random.uniform();
  if (kind < 0.35f) return wall;
  if (kind < 0.82f) return random_paint(random);
  return kind < 0.92f ? random_planks(random) : random_tiles(random);
}

}  // namespace dformer::scene
