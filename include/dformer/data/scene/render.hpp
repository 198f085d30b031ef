#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <opencv2/core.hpp>

#include <dformer/core/error.hpp>
#include <dformer/core/random.hpp>
#include <dformer/data/scene/camera.hpp>
#include <dformer/data/scene/color_sensor.hpp>
#include <dformer/data/scene/depth_sensor.hpp>
#include <dformer/data/scene/lighting.hpp>
#include <dformer/data/scene/room.hpp>
#include <dformer/data/scene/surfaces.hpp>

namespace dformer::scene {

/// What both cameras see of a room, and the truth.
struct LabeledView {
  cv::Mat color;   ///< [H, W] 8-bit B, G, R
  cv::Mat depth;   ///< [H, W] 16-bit millimetres; 0 without an answer
  cv::Mat labels;  ///< [H, W] 8-bit class indices; 255 without a class
};

struct ViewOptions {
  int width = 640;
  int height = 480;
  bool sensor_errors = true;  ///< false: the true depth everywhere
  DepthSensor sensor = {};
};

/// Below this size pictures flicker and small things vanish; above, a label no longer fits what it is for.
inline constexpr int smallest_view = 32;
inline constexpr int largest_view = 4096;

/// Throws: ArgumentError for a size outside of `smallest_view` … `largest_view`.
inline void require_view_size(int width, int height) {
  const auto fits = [](int length) { return length >= smallest_view && length <= largest_view; };
  if (fits(width) && fits(height)) return;
  throw_argument_error("[scenes] size " + std::to_string(height) + "x" + std::to_string(width) +
                       " (height x width) is not possible; each may be " + std::to_string(smallest_view) +
                       " to " + std::to_string(largest_view));
}

namespace detail {

/// Rays for each pixel in each direction; odd, so that one goes through its middle. Small images get more.
constexpr int samples_per_side(int width, int height) {
  return width * height <= 240 * 180 ? 3 : 1;
}

/// The surfaces in the middles of blocks of `samples` x `samples` pixels.
inline SurfaceImage thin_out(const SurfaceImage& image, int samples) {
  SurfaceImage thin(image.width / samples, image.height / samples);
  for (int y = 0; y < thin.height; ++y) {
    for (int x = 0; x < thin.width; ++x)
      thin.pixels[thin.index(x, y)] = image.at(x * samples + samples / 2, y * samples + samples / 2);
  }
  return thin;
}

inline cv::Mat label_surfaces(const Scene& scene, const SurfaceImage& image) {
  cv::Mat labels(image.height, image.width, CV_8UC1);
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x < image.width; ++x) {
      const Surface& surface = image.at(x, y);
      labels.at<std::uint8_t>(y, x) = surface ? scene.parts[surface.part].label : ignored;
    }
  }
  return labels;
}

}  // namespace detail

/// Renders a scene. The camera's focal length and centre are in pixels of this size. Depth and label of a
/// pixel belong to the same ray. Throws: ArgumentError for an impossible size.
inline LabeledView render(const Scene& scene, const Camera& camera, RandomStream& random,
                          const ViewOptions& options) {
  require_view_size(options.width, options.height);
  const int samples = detail::samples_per_side(options.width, options.height);
  const auto scale = static_cast<float>(samples);
  Camera fine = camera;
  fine.focal *= scale;
  fine.center_x *= scale;
  fine.center_y *= scale;
  const SurfaceImage rays = cast_rays(scene, fine, options.width * samples, options.height * samples);
  const std::vector<Color> light = light_pixels(scene, fine, rays, random.bits());
  const SurfaceImage surfaces = detail::thin_out(rays, samples);
  LabeledView view;
  view.color = expose(gather_light(light, options.width, options.height, samples), random);
  view.depth = options.sensor_errors ? measure_depth(scene, camera, surfaces, options.sensor, random)
                                     : true_depth(surfaces);
  view.labels = detail::label_surfaces(scene, surfaces);
  return view;
}

/// View `index` under `seed`: a room, a camera in it, and what it sees. It depends on these two numbers, the
/// classes and the options alone. Throws: ArgumentError for an impossible size.
inline LabeledView make_view(std::uint64_t seed, std::uint64_t index, const ClassSet& classes,
                             const ViewOptions& options) {
  require_view_size(options.width, options.height);
  RandomStream random(seed, index);
  const Room room = make_room(random, classes);
  const Camera camera = choose_camera(random, room, options.width, options.height);
  return render(room.scene, camera, random, options);
}

}  // namespace dformer::scene
