#pragma once

#include <string>
#include <string_view>

#include <dformer/core/error.hpp>

namespace dformer {

/// What becomes of pixels without a depth: 0 or 65535 (saturated) in 16-bit images; zero, negative, infinite
/// or NaN in float images. The official training depth has no holes (NYUv2's was filled), so raw sensor
/// images are closest to it with `fill`.
enum class HolePolicy {
  /// Holes count as the depth that they store (as 0 where that is no number) and take part in the stretch:
  /// exactly
  /// what drawing the raw image with matplotlib does. Default.
  keep,
  /// The stretch runs over valid pixels only; holes are drawn as nearest (0).
  as_near,
  /// The stretch runs over valid pixels only; holes are drawn as farthest (255).
  as_far,
  /// The stretch runs over valid pixels only; each hole takes the depth of the nearest valid pixel in the
  /// image.
  fill,
};

/// The names that `parse_hole_policy` knows, for help texts.
inline constexpr std::string_view hole_policy_names = "keep, near, far, fill";

inline std::string_view to_string(HolePolicy policy) {
  switch (policy) {
    case HolePolicy::keep:
      return "keep";
    case HolePolicy::as_near:
      return "near";
    case HolePolicy::as_far:
      return "far";
    case HolePolicy::fill:
      return "fill";
  }
  return "?";
}

/// Throws: ArgumentError for a word that is not in `hole_policy_names`.
inline HolePolicy parse_hole_policy(std::string_view word) {
  for (HolePolicy policy : {HolePolicy::keep, HolePolicy::as_near, HolePolicy::as_far, HolePolicy::fill}) {
    if (word == to_string(policy)) return policy;
  }
  throw_argument_error("[hole policy] \"" + std::string(word) +
                       "\" is not known; pass one of: " + std::string(hole_policy_names));
}

}  // namespace dformer
