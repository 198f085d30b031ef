#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <dformer/core/random.hpp>
#include <dformer/data/scene/surfaces.hpp>

namespace dformer::scene {

namespace detail {

/// A random direction about a normal, near it more often (by the cosine).
inline Vec3 scatter(Vec3 normal, float a, float b) {
  const float angle = 6.2831853f * a;
  const float up = 1 - 2 * b;
  const float side = std::sqrt(std::max(0.0f, 1 - up * up));
  return normal + Vec3{side * std::cos(angle), side * std::sin(angle), up} * 0.999f;
}

/// The light of the sky and of all walls: less where something stands close to the surface.
inline Color ambient_light(const Scene& scene, Vec3 point, Vec3 normal, float a, float b) {
  constexpr float reach = 0.9f;
  const bool covered = scene.blocked({point, normalized(scatter(normal, a, b))}, reach);
  return scene.ambient * ((0.85f + 0.15f * normal.z) * (covered ? 0.4f : 1.0f));
}

/// `a`, `b` choose the point of the lamp: over many pixels its shadow has a soft edge.
inline Color lamp_light(const Scene& scene, const Light& light, Vec3 point, Vec3 normal, float a, float b) {
  const Vec3 spot = light.position + Vec3{a - 0.5f, b - 0.5f, a + b - 1} * (2 * light.radius);
  const Vec3 way = spot - point;
  const float distance = length(way);
  const float facing = dot(way, normal) / distance;
  if (facing <= 0 || scene.blocked({point, way}, 1.0f)) return {};
  return light.color * (facing / (0.6f + distance * distance * 0.4f));
}

/// Which part of the lights a pixel samples: neighbours within any square of 4 x 4 take sixteen different
/// ones.
struct LightSample {
  float ambient[2];
  float lamp[2];

  LightSample(int x, int y, std::array<std::uint32_t, 4> bits) {
    const auto within = [&](int cell, std::uint32_t word) {
      return (static_cast<float>(cell) + uniform_float(word)) / 4;
    };
    ambient[0] = within(x & 3, bits[0]);
    ambient[1] = within(y & 3, bits[1]);
    lamp[0] = within((x + 2 * y) & 3, bits[2]);
    lamp[1] = within((2 * x + y) & 3, bits[3]);
  }
};

/// The mean over the neighbours that lie on the same surface, which takes the noise of one sample a pixel
/// away and leaves edges and textures as they are.
inline std::vector<Color> smooth_light(const SurfaceImage& image, const std::vector<Color>& light) {
  constexpr int reach = 4;  // an even square, so that it holds every kind of sample equally often
  std::vector<Color> smooth(light.size());
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x < image.width; ++x) {
      const Surface& own = image.at(x, y);
      if (!own) continue;
      Color sum;
      float count = 0;
      for (int v = std::max(0, y - reach); v < std::min(image.height, y + reach); ++v) {
        for (int u = std::max(0, x - reach); u < std::min(image.width, x + reach); ++u) {
          const Surface& other = image.at(u, v);
          if (!other || other.part != own.part || dot(other.normal, own.normal) < 0.8f) continue;
          sum += light[image.index(u, v)];
          ++count;
        }
      }
      smooth[image.index(x, y)] = sum * (1 / count);
    }
  }
  return smooth;
}

/// The reflection of a lamp on a glossy surface.
inline float highlight(const Light& light, Vec3 point, Vec3 normal, Vec3 to_eye) {
  const Vec3 half = normalized(normalized(light.position - point) + to_eye);
  return std::pow(std::max(0.0f, dot(half, normal)), 60.0f);
}

}  // namespace detail

/// The light that each pixel receives from its surface, linear: row by row as in `image`. `seed` moves the
/// samples of the lights.
inline std::vector<Color> light_pixels(const Scene& scene, const Camera& camera, const SurfaceImage& image,
                                       std::uint64_t seed) {
  const std::array<std::uint32_t, 2> key{static_cast<std::uint32_t>(seed),
                                         static_cast<std::uint32_t>(seed >> 32)};
  std::vector<Color> light(image.pixels.size());
  std::vector<Color> shine(image.pixels.size());
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x < image.width; ++x) {
      const std::size_t i = image.index(x, y);
      const Surface& surface = image.pixels[i];
      if (!surface) continue;
      const auto bits = philox4x32({static_cast<std::uint32_t>(x), static_cast<std::uint32_t>(y), 0, 0}, key);
      const detail::LightSample sample(x, y, bits);
      const Ray ray = camera.ray(static_cast<float>(x) + 0.5f, static_cast<float>(y) + 0.5f);
      const Vec3 point = ray.at(surface.depth) + surface.normal * 0.002f;
      const Material& material = scene.material(scene.parts[surface.part]);
      light[i] = detail::ambient_light(scene, point, surface.normal, sample.ambient[0], sample.ambient[1]);
      for (const Light& lamp : scene.lights) {
        const Color direct =
            detail::lamp_light(scene, lamp, point, surface.normal, sample.lamp[0], sample.lamp[1]);
        light[i] += direct;
        if (material.gloss > 0) {
          shine[i] += direct * (material.gloss * 2 *
                                detail::highlight(lamp, point, surface.normal, -normalized(ray.direction)));
        }
      }
      light[i] += Color{1, 1, 1} * material.glow;
    }
  }
  light = detail::smooth_light(image, light);
  for (std::size_t i = 0; i < light.size(); ++i) light[i] = light[i] * image.pixels[i].reflectance + shine[i];
  return light;
}

}  // namespace dformer::scene
