#pragma once

#include <dformer/data/scene/render.hpp>

namespace dformer::testing {

inline constexpr std::uint8_t wall_label = scene::nyu_class("wall");
inline constexpr std::uint8_t floor_label = scene::nyu_class("floor");
inline constexpr std::uint8_t cabinet_label = scene::nyu_class("cabinet");

inline scene::Material grey() {
  scene::Material material;
  material.strength = 0;
  return material;
}

/// A floor, a wall at y = 4 and before it a cabinet from x = -0.5 to 0.5, 1.5 high, its front at y = `front`.
inline scene::Scene cabinet_before_wall(float front, const scene::Material& material = grey()) {
  scene::Scene result;
  result.ambient = {1, 1, 1};
  const scene::ClassSet classes = scene::make_class_set(std::initializer_list<std::string_view>{"cabinet"});
  RandomStream random(0, 0);
  scene::Assembly(result, classes, random, {}, floor_label).box({-9, -1, -0.1f}, {9, 5, 0}, 0);
  scene::Assembly(result, classes, random, {}, wall_label).box({-9, 4, -0.1f}, {9, 4.1f, 9}, 0);
  scene::Assembly(result, classes, random, {}, cabinet_label).box({-0.5f, front, 0}, {0.5f, 4, 1.5f}, 0);
  result.materials.push_back(material);
  return result;
}

/// At (0, 0, 1), looking along y; 100 pixels of focal length.
inline scene::Camera level_camera(int width, int height, float focal = 100) {
  scene::Camera camera;
  camera.position = {0, 0, 1};
  camera.focal = focal;
  camera.center_x = static_cast<float>(width) / 2;
  camera.center_y = static_cast<float>(height) / 2;
  return camera;
}

}  // namespace dformer::testing
