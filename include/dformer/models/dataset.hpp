#pragma once

#include <concepts>

#include <dformer/core/color_order.hpp>

namespace dformer {

/// What of a data set shapes a network: the number of classes, and how wide the official configurations make
/// the decode head and order the colours for DFormer (first) and DFormerv2. `v2_embed_dim(large)` is that of
/// DFormerv2_L. A data set of one's own is a type like these two.
struct NYUDepthv2 {
  static constexpr int num_classes = 40;
  static constexpr int embed_dim = 512;
  static constexpr int v2_embed_dim(bool large) { return large ? 1024 : 512; }
  static constexpr ColorOrder color_order = ColorOrder::bgr;
  static constexpr ColorOrder v2_color_order = ColorOrder::bgr;
};

struct SUNRGBD {
  static constexpr int num_classes = 37;
  static constexpr int embed_dim = 512;
  static constexpr int v2_embed_dim(bool) { return 1024; }
  static constexpr ColorOrder color_order = ColorOrder::bgr;
  static constexpr ColorOrder v2_color_order = ColorOrder::rgb;
};

/// A data set type that the variants can be made for.
template <class Dataset>
concept SegmentationDataset = requires {
  { Dataset::num_classes } -> std::convertible_to<int>;
  { Dataset::embed_dim } -> std::convertible_to<int>;
  { Dataset::v2_embed_dim(true) } -> std::convertible_to<int>;
  { Dataset::color_order } -> std::convertible_to<ColorOrder>;
  { Dataset::v2_color_order } -> std::convertible_to<ColorOrder>;
};

}  // namespace dformer
