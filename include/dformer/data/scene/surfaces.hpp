#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <dformer/data/scene/camera.hpp>
#include <dformer/data/scene/scene.hpp>
#include <dformer/data/scene/texture.hpp>

namespace dformer::scene {

/// What the ray through the middle of a pixel meets.
struct Surface {
  float depth = 0;  ///< along the optical axis, in metres; 0 where there is nothing
  std::uint32_t part = 0;
  Vec3 normal;
  Color reflectance;

  explicit operator bool() const { return depth > 0; }
};

/// The surfaces of all pixels, row by row.
struct SurfaceImage {
  int width = 0;
  int height = 0;
  std::vector<Surface> pixels;

  SurfaceImage(int columns, int rows)
      : width(columns),
        height(rows),
        pixels(static_cast<std::size_t>(columns) * static_cast<std::size_t>(rows)) {}
  std::size_t index(int x, int y) const {
    return static_cast<std::size_t>(y) * static_cast<std::size_t>(width) + static_cast<std::size_t>(x);
  }
  const Surface& at(int x, int y) const { return pixels[index(x, y)]; }
};

inline Surface look(const Scene& scene, const Camera& camera, const Ray& ray) {
  const Hit hit = scene.first_hit(ray);
  if (!hit) return {};
  const Part& part = scene.parts[hit.part];
  const Vec3 point = ray.at(hit.distance);
  const Vec3 unit = part.solid.unit(point);
  const Vec3 normal = part.solid.normal(unit);
  // Pixels lie further apart on a surface that is seen at an angle.
  const float facing = std::max(0.2f, -dot(normal, ray.direction) / length(ray.direction));
  const TexturePoint where{part.solid.frame().local(point), unit, part.solid.half(), part.solid.facing(unit),
                           hit.distance / (camera.focal * facing)};
  return {hit.distance, static_cast<std::uint32_t>(hit.part), normal, texture(scene.material(part), where)};
}

/// Casts a ray through the middle of each pixel.
inline SurfaceImage cast_rays(const Scene& scene, const Camera& camera, int width, int height) {
  SurfaceImage image(width, height);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const Ray ray = camera.ray(static_cast<float>(x) + 0.5f, static_cast<float>(y) + 0.5f);
      image.pixels[image.index(x, y)] = look(scene, camera, ray);
    }
  }
  return image;
}

}  // namespace dformer::scene
