#pragma once

#include <cstdint>

#include <dformer/data/scene/vec3.hpp>

namespace dformer::scene {

/// Uniform in [0, 1): a number for every cell of a grid.
constexpr float cell_noise(int x, int y, int z, std::uint32_t seed) {
  std::uint32_t h = seed + static_cast<std::uint32_t>(x) * 0x8da6b343u +
                    static_cast<std::uint32_t>(y) * 0xd8163841u + static_cast<std::uint32_t>(z) * 0xcb1ab31fu;
  h = (h ^ (h >> 16)) * 0x7feb352du;
  h = (h ^ (h >> 15)) * 0x846ca68bu;
  return static_cast<float>((h ^ (h >> 16)) >> 8) * 0x1p-24f;
}

/// In (-2.45, 2.45), of mean 0 and standard deviation 1: the sum of the two halves of a word. Near enough to
/// a normal number for the noise of a pixel.
constexpr float triangular_float(std::uint32_t bits) {
  return (static_cast<float>(bits >> 16) + static_cast<float>(bits & 0xffffu) - 65535) * (2.4494897f / 65536);
}

constexpr int floor_int(float value) {
  const int truncated = static_cast<int>(value);
  return truncated - (value < static_cast<float>(truncated) ? 1 : 0);
}

/// In [0, 1], smooth over space, with features about one unit large.
constexpr float smooth_noise(Vec3 p, std::uint32_t seed) {
  const int x = floor_int(p.x);
  const int y = floor_int(p.y);
  const int z = floor_int(p.z);
  const auto fade = [](float t) { return t * t * (3 - 2 * t); };
  const auto mix = [](float a, float b, float t) { return a + (b - a) * t; };
  const float u = fade(p.x - static_cast<float>(x));
  const float v = fade(p.y - static_cast<float>(y));
  const float w = fade(p.z - static_cast<float>(z));
  const auto along_x = [&](int dy, int dz) {
    return mix(cell_noise(x, y + dy, z + dz, seed), cell_noise(x + 1, y + dy, z + dz, seed), u);
  };
  return mix(mix(along_x(0, 0), along_x(1, 0), v), mix(along_x(0, 1), along_x(1, 1), v), w);
}

/// Three octaves of `smooth_noise`, in [0, 1].
constexpr float rough_noise(Vec3 p, std::uint32_t seed) {
  return (4 * smooth_noise(p, seed) + 2 * smooth_noise(p * 2.03f, seed + 1) +
          smooth_noise(p * 4.01f, seed + 2)) /
         7;
}

}  // namespace dformer::scene
