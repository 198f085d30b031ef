#pragma once

#include <string_view>

#include <dformer/core/color_order.hpp>
#include <dformer/core/depth_input.hpp>
#include <dformer/heads/head_norm.hpp>

namespace dformer {

/// What of a segmentation network its layers do not say: how whoever published it made its inputs, and called
/// its two parts in checkpoints.
struct Conventions {
  ColorOrder color_order = ColorOrder::bgr;
  DepthInput depth_input = DepthInput::greys;
  std::string_view backbone = "backbone";
  std::string_view decode_head = "decode_head";
  std::string_view backbone_prefix = "backbone.";  ///< with which names of the backbone's parameters begin
  int size_multiple = 1;                           ///< of the height and width of its inputs
  float head_norm_eps = dformer::head_norm_eps;
};

/// Those of DFormer and DFormerv2.
template <ColorOrder order = ColorOrder::bgr>
inline constexpr Conventions dformer_conventions{.color_order = order};

/// Those of a network; of one that says less, DFormer's with its order of colours.
template <class Network>
constexpr Conventions conventions_of(const Network& network) {
  if constexpr (requires { network.conventions; }) {
    return network.conventions;
  } else {
    return {.color_order = network.color_order};
  }
}

}  // namespace dformer
