#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <opencv2/core.hpp>

#include <dformer/core/random.hpp>
#include <dformer/data/scene/noise.hpp>
#include <dformer/data/scene/surfaces.hpp>

namespace dformer::scene {

/// A depth camera that projects a pattern and triangulates it, with the figures of a Kinect of the first
/// kind.
struct DepthSensor {
  float baseline = 0.075f;        ///< from the camera to the projector, metres
  float focal = 575;              ///< in pixels of the disparity measurement
  float disparity_step = 0.125f;  ///< what it can tell apart
  float disparity_noise = 0.1f;   ///< standard deviation, pixels
  float nearest = 0.45f;          ///< metres
  float farthest = 7.5f;
  float edge_jitter = 0.9f;  ///< how far edges wander, in pixels of an image 640 wide
};

namespace detail {

/// Marks the pixels of one row that the projector, which stands to the right of the camera, does not reach.
/// Seen from it, surfaces keep their order from right to left; what falls behind a nearer one is in its
/// shadow.
inline void mark_shadows(const SurfaceImage& image, int y, float shift, std::vector<char>& shadowed) {
  float leftmost = no_hit;
  for (int x = image.width - 1; x >= 0; --x) {
    const Surface& surface = image.at(x, y);
    const float seen = surface ? static_cast<float>(x) - shift / surface.depth : no_hit;
    shadowed[static_cast<std::size_t>(x)] = seen > leftmost + 0.5f ? 1 : 0;
    leftmost = std::min(leftmost, seen);
  }
}

/// The chance that the projected pattern is not found again on a surface.
inline float loss(const Scene& scene, const Camera& camera, const Surface& surface, float x, float y) {
  const Material& material = scene.material(scene.parts[surface.part]);
  const Vec3 ray = camera.ray(x, y).direction;
  const float facing = -dot(surface.normal, ray) / length(ray);
  const Color& c = surface.reflectance;
  const float returned = (c.x + c.y + c.z) / 3 * facing / (1 + 0.06f * surface.depth * surface.depth);
  const float dark = std::clamp(1 - returned / 0.012f, 0.0f, 1.0f);
  const float grazing = std::clamp(1 - facing / 0.12f, 0.0f, 1.0f);
  const float far = std::clamp((surface.depth - 4.5f) / 6, 0.0f, 0.5f);
  return std::max({material.no_depth, dark, grazing, far});
}

inline std::uint16_t to_millimetres(float metres) {
  return static_cast<std::uint16_t>(std::lround(std::min(metres, 65.0f) * 1000));
}

}  // namespace detail

/// The depth of each surface without error: [H, W] 16-bit millimetres, 0 where there is nothing.
inline cv::Mat true_depth(const SurfaceImage& image) {
  cv::Mat depth(image.height, image.width, CV_16UC1);
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x < image.width; ++x)
      depth.at<std::uint16_t>(y, x) = detail::to_millimetres(image.at(x, y).depth);
  }
  return depth;
}

/// Depth as the sensor measures it: [H, W] 16-bit millimetres, 0 where it has no answer (in shadows of its
/// projector, on glass, dark, shiny and grazing surfaces, out of its range).
inline cv::Mat measure_depth(const Scene& scene, const Camera& camera, const SurfaceImage& image,
                             const DepthSensor& sensor, RandomStream& random) {
  cv::Mat depth = cv::Mat::zeros(image.height, image.width, CV_16UC1);
  const std::array<std::uint32_t, 2> key{random.bits(), random.bits()};
  const std::uint32_t blotches = random.bits();
  const float scale = static_cast<float>(image.width) / 640;
  const auto jitter = [&](std::uint32_t word) {
    return static_cast<int>(std::lround((2 * uniform_float(word) - 1) * sensor.edge_jitter * scale));
  };
  std::vector<char> shadowed(static_cast<std::size_t>(image.width));
  for (int y = 0; y < image.height; ++y) {
    detail::mark_shadows(image, y, camera.focal * sensor.baseline, shadowed);
    for (int x = 0; x < image.width; ++x) {
      const auto bits = philox4x32({static_cast<std::uint32_t>(x), static_cast<std::uint32_t>(y), 2, 0}, key);
      const int u = std::clamp(x + jitter(bits[0]), 0, image.width - 1);
      const int v = std::clamp(y + jitter(bits[1]), 0, image.height - 1);
      const Surface& surface = image.at(u, v);
      if (!surface || shadowed[static_cast<std::size_t>(x)] != 0) continue;
      // Holes come in blotches, frayed at their edges.
      const Vec3 where = Vec3{static_cast<float>(x), static_cast<float>(y), 0} * (1 / (14 * scale));
      const float luck = 0.75f * smooth_noise(where, blotches) + 0.25f * uniform_float(bits[2]);
      if (luck <
          detail::loss(scene, camera, surface, static_cast<float>(u) + 0.5f, static_cast<float>(v) + 0.5f)) {
        continue;
      }
      const float noise = sensor.disparity_noise * triangular_float(bits[3]);
      const float disparity = sensor.focal * sensor.baseline / surface.depth + noise;
      const float measured = std::round(disparity / sensor.disparity_step) * sensor.disparity_step;
      const float metres = sensor.focal * sensor.baseline / std::max(measured, sensor.disparity_step);
      if (metres >= sensor.nearest && metres <= sensor.farthest)
        depth.at<std::uint16_t>(y, x) = detail::to_millimetres(metres);
    }
  }
  return depth;
}

}  // namespace dformer::scene
