#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <dformer/core/error.hpp>
#include <dformer/data/classes.hpp>

namespace dformer::scene {

/// The label of pixels that belong to no class.
inline constexpr std::uint8_t ignored = 255;

/// The index of a class of NYUDepthv2 by its name; known when compiling.
consteval std::uint8_t nyu_class(std::string_view name) {
  for (std::size_t i = 0; i < nyu_depth_v2_classes.size(); ++i) {
    if (nyu_depth_v2_classes[i] == name) return static_cast<std::uint8_t>(i);
  }
  throw "not the name of a class of NYUDepthv2";
}

/// The classes that scenes are made of and labelled with.
class ClassSet {
 public:
  /// Those of a room without which there is none: wall, floor, ceiling.
  ClassSet() {
    add(nyu_class("wall"));
    add(nyu_class("floor"));
    add(nyu_class("ceiling"));
  }

  void add(std::uint8_t index) { classes_.set(index); }
  bool contains(std::uint8_t index) const { return index < classes_.size() && classes_[index]; }
  std::size_t size() const { return classes_.count(); }

 private:
  std::bitset<nyu_depth_v2_classes.size()> classes_;
};

/// Every class that the generator can build.
inline constexpr std::string_view all_scene_classes[] = {
    "wall",    "floor",   "cabinet", "bed",         "chair",      "sofa", "table",     "door",
    "window",  "picture", "blinds",  "bookshelf",   "desk",       "lamp", "floor mat", "curtain",
    "ceiling", "books",   "pillow",  "night stand", "television", "box",  "whiteboard"};

/// Fourteen classes that are all large enough to be learnt in minutes.
inline constexpr std::string_view default_scene_classes[] = {
    "wall", "floor",  "cabinet", "bed",       "chair",  "sofa",    "table",
    "door", "window", "picture", "bookshelf", "blinds", "curtain", "ceiling"};

/// The set of the named classes, and wall, floor and ceiling. Throws: ArgumentError for a name that is not in
/// `all_scene_classes`.
template <class Names>
ClassSet make_class_set(const Names& names) {
  ClassSet set;
  for (const std::string_view name : names) {
    bool known = false;
    for (std::string_view buildable : all_scene_classes) known = known || buildable == name;
    if (!known) {
      std::string list;
      for (std::string_view buildable : all_scene_classes)
        list.append(list.empty() ? "" : ", ").append(buildable);
      throw_argument_error("[scenes] class \"" + std::string(name) +
                           "\" cannot be built; choose among: " + list);
    }
    for (std::size_t i = 0; i < nyu_depth_v2_classes.size(); ++i) {
      if (nyu_depth_v2_classes[i] == name) set.add(static_cast<std::uint8_t>(i));
    }
  }
  return set;
}

}  // namespace dformer::scene
