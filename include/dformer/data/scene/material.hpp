#pragma once

#include <cstdint>

#include <dformer/data/scene/vec3.hpp>

namespace dformer::scene {

/// What is painted on a surface; texture.hpp draws them.
enum class Pattern : std::uint8_t {
  plain,     ///< one colour, a little uneven
  wood,      ///< grain along the longest side of the body
  planks,    ///< boards of wood, laid in rows
  tiles,     ///< squares with joints; every second one in colour b where `checked`
  bricks,    ///< rows of bricks, each shifted by half of one
  stripes,   ///< upright bands of colours a and b
  weave,     ///< cloth
  carpet,    ///< short pile: fine noise
  painting,  ///< shapes of many colours over the front of the body
  outdoors,  ///< what is seen through a window: sky, trees, houses
  screen,    ///< a dark display
};

/// How a surface looks to the colour camera and to the depth camera.
struct Material {
  Pattern pattern = Pattern::plain;
  Color a{0.5f, 0.5f, 0.5f};  ///< linear, 0 … 1
  Color b{0.4f, 0.4f, 0.4f};
  float period = 0.1f;    ///< of the pattern, in metres
  float strength = 0.1f;  ///< of the pattern's fine detail
  float gloss = 0;        ///< of the reflection of the lights, 0 … 1
  float glow = 0;         ///< light of its own, over what it reflects
  float no_depth = 0;     ///< share of the surface that gives the depth camera no answer
  bool checked = false;
  std::uint32_t seed = 0;
};

}  // namespace dformer::scene
