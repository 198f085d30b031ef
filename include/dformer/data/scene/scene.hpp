#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <dformer/data/scene/material.hpp>
#include <dformer/data/scene/solid.hpp>

namespace dformer::scene {

/// One body of a piece of furniture or of the room.
struct Part {
  Solid solid;
  std::uint32_t material;
  std::uint8_t label;
};

/// Parts that stand together, so that a ray which misses their common box tests none of them.
struct Group {
  std::size_t first;
  std::size_t end;
  Bounds bounds;
};

/// A lamp or a window, as a small ball of light.
struct Light {
  Vec3 position;
  Color color;  ///< what a surface at one metre receives
  float radius;
};

struct Hit {
  float distance = no_hit;
  std::size_t part = 0;

  explicit operator bool() const { return distance < no_hit; }
};

/// A room with all that stands in it: from (0, 0, 0) to `size`, the floor at z = 0.
struct Scene {
  Vec3 size;
  Color ambient;
  std::vector<Material> materials;
  std::vector<Part> parts;
  std::vector<Group> groups;
  std::vector<Light> lights;

  const Material& material(const Part& part) const { return materials[part.material]; }

  /// The first part that the ray enters.
  Hit first_hit(const Ray& ray) const {
    Hit hit;
    for (const Group& group : groups) {
      if (!group.bounds.meets(ray, hit.distance)) continue;
      for (std::size_t i = group.first; i < group.end; ++i) {
        const float distance = parts[i].solid.enter(ray);
        if (distance < hit.distance) hit = {distance, i};
      }
    }
    return hit;
  }

  /// Whether anything stands on the ray before `limit`. What glows does not: lamps shine through their
  /// shades.
  bool blocked(const Ray& ray, float limit) const {
    for (const Group& group : groups) {
      if (!group.bounds.meets(ray, limit)) continue;
      for (std::size_t i = group.first; i < group.end; ++i) {
        if (parts[i].solid.enter(ray) < limit && material(parts[i]).glow == 0) return true;
      }
    }
    return false;
  }
};

}  // namespace dformer::scene
