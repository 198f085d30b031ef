#pragma once

#include <string_view>

#include <dformer/core/color_order.hpp>
#include <dformer/core/depth_input.hpp>

namespace dformer {

/// What of a segmentation network its layers do not say: how whoever published it made its inputs, and called
/// its two parts in checkpoints.
struct Conventions {
  ColorOrder color_order = ColorOrder::bgr;
  DepthInput depth_input = DepthInput::greys;
  std::string_view backbone = "backbone";
  std::string_view decode_head = "decode_head";
};

/// Those of DFormer and DFormerv2.
template <ColorOrder order = ColorOrder::bgr>
inline constexpr Conventions dformer_conventions{.color_order = order};

}  // namespace dformer
