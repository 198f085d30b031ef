#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include <dformer/core/random.hpp>
#include <dformer/data/scene/class_set.hpp>
#include <dformer/data/scene/scene.hpp>

namespace dformer::scene {

/// A piece of furniture while it is put together, in its own axes: x along its width, centred; y from its
/// back (y = 0) to its front; z up from its foot. When it goes out of scope its parts are one group of the
/// scene.
class Assembly {
 public:
  /// `label`: the class of the piece, or `ignored` for what has none.
  Assembly(Scene& scene, const ClassSet& classes, RandomStream& stream, const Frame& frame,
           std::uint8_t label)
      : random(stream),
        scene_(scene),
        classes_(classes),
        frame_(frame),
        label_(classes.contains(label) ? label : ignored),
        first_(scene.parts.size()) {}
  Assembly(const Assembly&) = delete;
  Assembly& operator=(const Assembly&) = delete;
  ~Assembly() {
    if (scene_.parts.size() > first_) scene_.groups.push_back({first_, scene_.parts.size(), bounds_});
  }

  /// Makes a material of this scene, to be named in parts by the number returned.
  std::uint32_t add(const Material& material) {
    scene_.materials.push_back(material);
    return static_cast<std::uint32_t>(scene_.materials.size() - 1);
  }
  bool wants(std::uint8_t label) const { return classes_.contains(label); }

  /// The next parts are of this class if the set has it, and of the piece's own otherwise.
  void begin_label(std::uint8_t label) { current_ = classes_.contains(label) ? label : label_; }
  void end_label() { current_ = label_; }

  /// Moves the axes for the next parts, until `end_place`; for pieces made of pieces.
  Frame begin_place(const Frame& inner) { return std::exchange(frame_, frame_.place(inner)); }
  void end_place(const Frame& outer) { frame_ = outer; }

  void box(Vec3 low, Vec3 high, std::uint32_t material) {
    solid(Shape::box, {(low + high) * 0.5f}, (high - low) * 0.5f, material);
  }
  /// A cylinder that stands on `foot`.
  void cylinder(Vec3 foot, float radius, float height, std::uint32_t material, float taper = 1) {
    solid(Shape::cylinder, {foot + Vec3{0, 0, height / 2}}, {radius, radius, height / 2}, material, taper);
  }
  void ellipsoid(Vec3 center, Vec3 half, std::uint32_t material) {
    solid(Shape::ellipsoid, {center}, half, material);
  }
  void solid(Shape shape, const Frame& inner, Vec3 half, std::uint32_t material, float taper = 1) {
    const Part part{Solid(shape, frame_.place(inner), half, taper), material, current_};
    part.solid.extend(bounds_);
    scene_.parts.push_back(part);
  }

  RandomStream& random;

 private:
  Scene& scene_;
  const ClassSet& classes_;
  Frame frame_;
  std::uint8_t label_;
  std::uint8_t current_ = label_;
  std::size_t first_;
  Bounds bounds_;
};

}  // namespace dformer::scene
