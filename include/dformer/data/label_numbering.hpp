#pragma once

#include <cstdint>

namespace dformer {

/// The label of pixels that belong to no class: they are neither trained on nor scored.
inline constexpr std::uint8_t ignored_label = 255;

/// What a label file holds for class k.
enum class LabelNumbering {
  from_zero,  ///< k, as predicted; 255 is ignored
  from_one,   ///< k + 1, as the official ground truth is stored; 0 is ignored (255 becomes 0)
};

}  // namespace dformer
