#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include <dformer/data/scene/beds.hpp>
#include <dformer/data/scene/props.hpp>
#include <dformer/data/scene/room_shell.hpp>
#include <dformer/data/scene/storage.hpp>
#include <dformer/data/scene/tables.hpp>

namespace dformer::scene {

/// A furnished room: what is seen of it, and what of its floor is taken.
struct Room {
  Scene scene;
  FloorPlan plan;
  std::vector<Vec3> sights;  ///< the middles of the pieces, to point a camera at
};

/// Furnishes a room step by step: openings first, since nothing may stand before a door.
class Furnisher {
 public:
  Furnisher(RandomStream& random, const ClassSet& classes, Vec3 size)
      : random_(random), classes_(classes), room_{{}, FloorPlan(size), {}}, wall_(random_wall(random)) {
    room_.scene.size = size;
  }

  void add_doors() {
    if (!classes_.contains(nyu_class("door"))) return;
    const int doors = random_.chance(0.35f) ? 2 : 1;
    for (int i = 0; i < doors; ++i) {
      const float width = random_.uniform(0.78f, 1.0f);
      const float height = random_.uniform(1.98f, 2.12f);
      const auto place = room_.plan.take_wall(random_, width + 0.2f, height + 0.1f, 0, 0.8f);
      if (!place) continue;
      const WallArea hole{place->area.left + 0.1f, place->area.right - 0.1f, 0, height};
      opening(place->wall, hole);
      Assembly door = on_wall(place->wall, nyu_class("door"));
      build_door(door, hole, wall_);
      room_.sights.push_back(room_.plan.wall_frame(place->wall).point({(hole.left + hole.right) / 2, 0, 1}));
    }
  }

  void add_windows() {
    if (!classes_.contains(nyu_class("window"))) return;
    const int windows = random_.between(1, 3);
    for (int i = 0; i < windows; ++i) {
      const float width = random_.uniform(0.9f, 2.1f);
      const float bottom = random_.chance(0.25f) ? random_.uniform(0.2f, 0.4f) : random_.uniform(0.75f, 1.0f);
      const float top = std::min(room_.scene.size.z - 0.25f, random_.uniform(1.95f, 2.25f));
      const float dress = random_.uniform();
      const bool curtains = dress < 0.42f && classes_.contains(nyu_class("curtain"));
      const bool blinds = dress > 0.52f && classes_.contains(nyu_class("blinds"));
      const bool long_cloth = curtains && random_.chance(0.65f);
      const float side = curtains ? 0.35f : 0.08f;
      const float foot = long_cloth ? 0.04f : bottom - 0.12f;
      const auto place = room_.plan.take_wall(random_, width + 2 * side, top + 0.12f - foot, foot,
                                              long_cloth ? 0.16f : 0.0f);
      if (!place) continue;
      const WallArea area = place->area;
      const WallArea hole{area.left + side, area.right - side, bottom, top};
      opening(place->wall, hole);
      {
        Assembly window = on_wall(place->wall, nyu_class("window"));
        build_window(window, hole, daylight_);
      }
      if (curtains) {
        Assembly cloth = on_wall(place->wall, nyu_class("curtain"));
        build_curtains(cloth, {area.left, area.right, foot, area.top});
      } else if (blinds) {
        Assembly slats = on_wall(place->wall, nyu_class("blinds"));
        build_blinds(slats, hole);
      }
      const Frame frame = room_.plan.wall_frame(place->wall);
      const Vec3 middle = frame.point({(hole.left + hole.right) / 2, 0.35f, (bottom + top) / 2});
      room_.sights.push_back(middle);
      if (daylight_ > 0.3f)
        room_.scene.lights.push_back({middle, Color{0.95f, 1.0f, 1.08f} * (1.6f * daylight_ * width), 0.3f});
    }
  }

  void add_at_wall(const Furniture& kind) {
    if (!is_wanted(kind)) return;
    const Extent extent = kind.draw_extent(random_);
    if (const auto frame = room_.plan.take_at_wall(random_, extent)) build(kind, extent, *frame);
  }

  void add_anywhere(const Furniture& kind, float unevenness) {
    if (!is_wanted(kind)) return;
    const Extent extent = kind.draw_extent(random_);
    if (const auto frame = room_.plan.take_anywhere(random_, extent, unevenness)) build(kind, extent, *frame);
  }

  /// A mat lies under the furniture, so it takes no floor.
  void add_mat() {
    if (!classes_.contains(floor_mat.label)) return;
    FloorPlan empty(room_.scene.size);
    const Extent extent = floor_mat.draw_extent(random_);
    if (const auto frame = empty.take_anywhere(random_, extent, 0.15f)) build(floor_mat, extent, *frame);
  }

  /// A low cabinet with a screen on it.
  void add_television() {
    if (!classes_.contains(television.label)) return;
    const Extent screen = television.draw_extent(random_);
    const Extent stand{screen.x + 0.3f, 0.42f, random_.uniform(0.4f, 0.6f)};
    const auto frame = room_.plan.take_at_wall(random_, stand + Vec3{0, 0, screen.z});
    if (!frame) return;
    if (is_wanted(cabinet)) build(cabinet, stand, *frame);
    build(television, screen, frame->place({{0, 0.08f, stand.z}}));
  }

  void add_pictures() {
    if (!classes_.contains(nyu_class("picture"))) return;
    const int pictures = random_.between(3, 7);
    for (int i = 0; i < pictures; ++i) {
      const float width = random_.uniform(0.35f, 1.3f);
      const float height = width * random_.uniform(0.6f, 1.3f);
      if (height > 1.1f) continue;
      const auto place = room_.plan.take_wall(random_, width, height, 1.55f - height / 2, 0, 20);
      if (!place) continue;
      Assembly picture = on_wall(place->wall, nyu_class("picture"));
      build_picture(picture, place->area);
    }
  }

  void add_whiteboard() {
    if (!classes_.contains(nyu_class("whiteboard"))) return;
    const float height = random_.uniform(0.8f, 1.2f);
    const auto place = room_.plan.take_wall(random_, random_.uniform(1.0f, 2.4f), height, 0.85f, 0);
    if (!place) return;
    Assembly board = on_wall(place->wall, nyu_class("whiteboard"));
    build_whiteboard(board, place->area);
  }

  void add_ceiling_lamp() {
    const Vec3 size = room_.scene.size;
    const Vec3 foot{size.x * random_.uniform(0.35f, 0.65f), size.y * random_.uniform(0.35f, 0.65f), size.z};
    Assembly lamp(room_.scene, classes_, random_, {foot}, nyu_class("lamp"));
    build_ceiling_lamp(lamp);
    const float warm = random_.uniform(0.0f, 0.3f);
    room_.scene.lights.push_back({foot - Vec3{0, 0, 0.3f},
                                  Color{1, 1 - 0.4f * warm, 1 - warm} * random_.uniform(0.8f, 2.2f),
                                  random_.uniform(0.08f, 0.25f)});
  }

  Room finish() {
    // Two lights cast shadows; the weakest go.
    std::sort(room_.scene.lights.begin(), room_.scene.lights.end(),
              [](const Light& a, const Light& b) { return a.color.y > b.color.y; });
    if (room_.scene.lights.size() > 2) room_.scene.lights.resize(2, {});
    room_.scene.ambient = Color{1, 0.98f, 0.95f} * (0.45f + 0.5f * daylight_);
    build_shell(room_.scene, classes_, random_, room_.plan, wall_, openings_);
    return std::move(room_);
  }

 private:
  bool is_wanted(const Furniture& kind) const {
    return classes_.contains(kind.label) || kind.label == nyu_class("lamp") ||
           kind.label == nyu_class("box") || kind.label == nyu_class("otherprop");
  }
  Assembly on_wall(int wall, std::uint8_t label) {
    return Assembly(room_.scene, classes_, random_, room_.plan.wall_frame(wall), label);
  }
  void opening(int wall, const WallArea& hole) { openings_[static_cast<std::size_t>(wall)].push_back(hole); }
  void build(const Furniture& kind, Extent extent, const Frame& frame) {
    Assembly piece(room_.scene, classes_, random_, frame, kind.label);
    kind.build(piece, extent);
    room_.sights.push_back(frame.point({0, extent.y / 2, extent.z * 0.6f}));
  }

  RandomStream& random_;
  const ClassSet& classes_;
  Room room_;
  Material wall_;
  Openings openings_;
  float daylight_ = random_.chance(0.65f) ? random_.uniform(0.4f, 1.0f) : random_.uniform(0.0f, 0.15f);
};

}  // namespace dformer::scene
