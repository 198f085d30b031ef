#pragma once

#include <dformer/fwd.hpp>
#include <dformer/heads/ham_head.hpp>
#include <dformer/models/conventions.hpp>
#include <dformer/models/dataset.hpp>
#include <dformer/models/segmenter.hpp>
#include <dformer/stages/dformer.hpp>
#include <dformer/stages/dformer_v2.hpp>

namespace dformer {

inline constexpr DFormerConfig dformer_tiny{.dims = {32, 64, 128, 256}, .depths = {3, 3, 5, 2}};
inline constexpr DFormerConfig dformer_small{.dims = {64, 128, 256, 512}, .depths = {2, 2, 4, 2}};
inline constexpr DFormerConfig dformer_base{.dims = {64, 128, 256, 512}, .depths = {3, 3, 12, 2}};
inline constexpr DFormerConfig dformer_large{.dims = {96, 192, 288, 576}, .depths = {3, 3, 12, 2}};

inline constexpr DFormerV2Config dformer_v2_small{.dims = {64, 128, 256, 512},
                                                  .depths = {3, 4, 18, 4},
                                                  .num_heads = {4, 4, 8, 16},
                                                  .heads_ranges = {4, 4, 6, 6}};
inline constexpr DFormerV2Config dformer_v2_base{.dims = {80, 160, 320, 512},
                                                 .depths = {4, 8, 25, 8},
                                                 .num_heads = {5, 5, 10, 16},
                                                 .heads_ranges = {5, 5, 6, 6},
                                                 .layer_scales = {false, false, true, true}};
inline constexpr DFormerV2Config dformer_v2_large{.dims = {112, 224, 448, 640},
                                                  .depths = {4, 8, 25, 8},
                                                  .num_heads = {7, 7, 14, 20},
                                                  .heads_ranges = {6, 6, 6, 6},
                                                  .layer_scales = {false, false, true, true}};

/// A backbone with the light Hamburger head, as the official configurations have it.
template <class B, class BackboneType, int num_classes, int embed_dim, ColorOrder order>
using HamSegmenter =
    Segmenter<B, BackboneType,
              LightHamHead<B, BackboneType::feature_channels[1], BackboneType::feature_channels[2],
                           BackboneType::feature_channels[3], num_classes, embed_dim>,
              dformer_conventions<order>>;

template <Backend B, const DFormerConfig& config, SegmentationDataset Dataset>
using DFormerSegmenter =
    HamSegmenter<B, DFormer<B, config>, Dataset::num_classes, Dataset::embed_dim, Dataset::color_order>;

template <Backend B, const DFormerV2Config& config, SegmentationDataset Dataset, bool large = false>
using DFormerV2Segmenter = HamSegmenter<B, DFormerV2<B, config>, Dataset::num_classes,
                                        Dataset::v2_embed_dim(large), Dataset::v2_color_order>;

/// The published variants: `DFormer_Large<>` runs on the CPU and has the classes of NYUDepthv2.
template <class B = Cpu<>, class Dataset = NYUDepthv2>
using DFormer_Tiny = DFormerSegmenter<B, dformer_tiny, Dataset>;
template <class B = Cpu<>, class Dataset = NYUDepthv2>
using DFormer_Small = DFormerSegmenter<B, dformer_small, Dataset>;
template <class B = Cpu<>, class Dataset = NYUDepthv2>
using DFormer_Base = DFormerSegmenter<B, dformer_base, Dataset>;
template <class B = Cpu<>, class Dataset = NYUDepthv2>
using DFormer_Large = DFormerSegmenter<B, dformer_large, Dataset>;
template <class B = Cpu<>, class Dataset = NYUDepthv2>
using DFormerv2_S = DFormerV2Segmenter<B, dformer_v2_small, Dataset>;
template <class B = Cpu<>, class Dataset = NYUDepthv2>
using DFormerv2_B = DFormerV2Segmenter<B, dformer_v2_base, Dataset>;
template <class B = Cpu<>, class Dataset = NYUDepthv2>
using DFormerv2_L = DFormerV2Segmenter<B, dformer_v2_large, Dataset, true>;

}  // namespace dformer
