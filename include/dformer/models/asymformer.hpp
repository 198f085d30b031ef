#pragma once

#include <dformer/fwd.hpp>
#include <dformer/heads/mlp_head.hpp>
#include <dformer/models/conventions.hpp>
#include <dformer/models/dataset.hpp>
#include <dformer/models/segmenter.hpp>
#include <dformer/stages/asymformer.hpp>

namespace dformer {

/// ConvNeXt-T for colour, MiT-B0 for depth.
inline constexpr AsymFormerConfig asymformer_b0_t{.rgb_dims = {96, 192, 384, 768},
                                                  .rgb_depths = {3, 3, 9, 3},
                                                  .depth_dims = {32, 64, 160, 256},
                                                  .depth_depths = {2, 2, 2, 2}};

inline constexpr Conventions asymformer_conventions{.color_order = ColorOrder::rgb,
                                                    .depth_input = DepthInput::metres,
                                                    .backbone = "",
                                                    .decode_head = "Decoder",
                                                    .backbone_prefix = "down_sample_",
                                                    .size_multiple = 32,
                                                    .head_norm_eps = 1e-5f};

/// AsymFormer (Du et al., CVPRW 2024), the published variant B0_T: `AsymFormer<> net` runs on the CPU and has
/// the classes of NYUDepthv2. Height and width of its input must be multiples of 32.
template <class B = Cpu<>, class Dataset = NYUDepthv2>
using AsymFormer = Segmenter<
    B, AsymFormerEncoder<B, asymformer_b0_t>,
    MlpHead<B, asymformer_b0_t.depth_dims[0], asymformer_b0_t.depth_dims[1], asymformer_b0_t.depth_dims[2],
            asymformer_b0_t.depth_dims[3], Dataset::num_classes, 256, MlpHeadOf::asymformer>,
    asymformer_conventions>;

}  // namespace dformer
