#pragma once

#include <concepts>
#include <cstdint>

#include <dformer/core/color_order.hpp>
#include <dformer/heads/class_count.hpp>

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

/// The same with a number of classes that is given when the network is made:
/// `DFormer_Tiny<Cpu<>, AnyClasses<NYUDepthv2>> net(13)`.
template <class Dataset>
struct AnyClasses : Dataset {
  static constexpr int num_classes = any_classes;
};

/// The data sets that official configurations are for. A network chosen at run time follows one of them in
/// the width of its decode head and the order of colours, whatever its number of classes.
enum class OfficialDataset : std::uint8_t { nyu_depth_v2, sunrgbd };

/// The one that a network follows if nothing else is said: SUNRGBD with its 37 classes, NYUDepthv2 with any
/// other number.
constexpr OfficialDataset official_dataset(int num_classes) {
  return num_classes == SUNRGBD::num_classes ? OfficialDataset::sunrgbd : OfficialDataset::nyu_depth_v2;
}

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
