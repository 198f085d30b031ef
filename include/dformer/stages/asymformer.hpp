#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <type_traits>
#include <vector>

#include <dformer/blocks/convnext_block.hpp>
#include <dformer/blocks/cross_modal_fusion.hpp>
#include <dformer/blocks/mix_transformer_block.hpp>
#include <dformer/nn/concurrently.hpp>
#include <dformer/nn/run_block.hpp>
#include <dformer/stages/config_checks.hpp>
#include <dformer/stages/drop_path_rates.hpp>
#include <dformer/stages/features.hpp>

namespace dformer {

/// What makes a variant of AsymFormer. Every array has one entry a stage; the colour stream is a ConvNeXt,
/// the depth stream a MixTransformer.
struct AsymFormerConfig {
  std::array<int, 4> rgb_dims;
  std::array<int, 4> rgb_depths;  ///< number of ConvNeXt blocks
  std::array<int, 4> depth_dims;
  std::array<int, 4> depth_depths;            ///< number of MixTransformer blocks
  std::array<int, 4> num_heads{1, 2, 5, 8};   ///< of the depth stream's attention
  std::array<int, 4> sr_ratios{8, 4, 2, 1};   ///< its spatial reduction
  std::array<int, 4> mlp_ratios{4, 4, 4, 4};  ///< hidden width of its MLP over its width
};

/// A stage of AsymFormer: both streams go one step down and through their blocks; from the second stage on
/// the depth stream takes up colour. Shapes: rgb [N, H, W, InRgb], depth [N, H, W, InDepth] -> half of that
/// (in the first stage a quarter) with the stage's channels. Parameters: depth_stem, rgb_stem, rgb_layer,
/// depth_layer, depth_norm; SCC but in the first stage.
template <class B, const AsymFormerConfig& config, std::size_t stage>
struct AsymFormerStage {
  using Backend = B;
  using Tensor = typename B::Tensor;
  static constexpr bool first = stage == 0;
  static constexpr int rgb_dim = config.rgb_dims[stage];
  static constexpr int depth_dim = config.depth_dims[stage];

  using DepthBlock = MixTransformerBlock<B, depth_dim, config.num_heads[stage], config.sr_ratios[stage],
                                         config.mlp_ratios[stage]>;

  /// What is halved, but for the first stage: the channels of the one before.
  static constexpr int rgb_in = first ? 3 : config.rgb_dims[first ? 0 : stage - 1];
  static constexpr int depth_in = first ? 1 : config.depth_dims[first ? 0 : stage - 1];

  OverlapPatchEmbed<B, depth_in, depth_dim, first ? 7 : 3, first ? 4 : 2> depth_stem;
  std::conditional_t<first, ConvNeXtStem<B, rgb_in, rgb_dim>, ConvNeXtDownsample<B, rgb_in, rgb_dim>>
      rgb_stem;
  std::vector<ConvNeXtBlock<B, rgb_dim>> rgb_layer =
      std::vector<ConvNeXtBlock<B, rgb_dim>>(config.rgb_depths[stage]);
  std::vector<DepthBlock> depth_layer = std::vector<DepthBlock>(config.depth_depths[stage]);
  LayerNorm<B, depth_dim> depth_norm;
  [[no_unique_address]] std::conditional_t<first, Absent, CrossModalFusion<B, depth_dim, rgb_dim>> fusion;

  /// Replaces both by what this stage makes of them.
  void operator()(Tensor& rgb, Tensor& depth) const {
    concurrently<B>(
        rgb,
        [&] {
          rgb = rgb_stem(rgb);
          for (const auto& block : rgb_layer) rgb = run_block(block, rgb);
        },
        [&] {
          depth = depth_stem(depth);
          for (const auto& block : depth_layer) depth = run_block(block, depth);
          depth = depth_norm(depth);
        });
    if constexpr (!first) depth = fusion(depth, rgb);
  }

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& visitor) {
    visitor("depth_stem", self.depth_stem);
    visitor("rgb_stem", self.rgb_stem);
    visitor("rgb_layer", self.rgb_layer);
    visitor("depth_layer", self.depth_layer);
    visitor("depth_norm", self.depth_norm);
    if constexpr (!first) visitor("SCC", self.fusion);
  }
};

/// The encoder of AsymFormer (Du et al., CVPRW 2024): a wide stream for colour, a narrow one for depth, which
/// takes up colour stage by stage and is what the decode head sees.
/// Shapes: rgb [N, H, W, 3], depth [N, H, W, 1], H and W multiples of 32 -> four maps of depth_dims[i]
/// channels. Parameters: down_sample_1 to down_sample_4.
template <class B, const AsymFormerConfig& config>
struct AsymFormerEncoder {
  static_assert(at_least(1, config.rgb_depths) && at_least(1, config.depth_depths),
                "AsymFormer: rgb_depths and depth_depths must be at least 1 in every stage");
  static_assert(at_least(1, config.sr_ratios) && at_least(1, config.mlp_ratios),
                "AsymFormer: sr_ratios and mlp_ratios must be at least 1 in every stage");
  static_assert(heads_divide_dims(config.depth_dims, config.num_heads, 1),
                "AsymFormer: num_heads must divide depth_dims in every stage");
  using Backend = B;
  using Tensor = typename B::Tensor;
  static constexpr const std::array<int, 4>& feature_channels = config.depth_dims;
  static constexpr std::int64_t size_multiple = 32;  ///< elsewhere the two streams would round differently

  AsymFormerStage<B, config, 0> down_sample_1;
  AsymFormerStage<B, config, 1> down_sample_2;
  AsymFormerStage<B, config, 2> down_sample_3;
  AsymFormerStage<B, config, 3> down_sample_4;

  /// Throws: ShapeError.
  Features<Tensor> operator()(Tensor rgb, Tensor depth) const {
    require_rgbd(rgb.shape(), depth.shape());
    require_multiple(rgb.shape(), size_multiple);
    Features<Tensor> features;
    const auto run = [&](const auto& stage, std::size_t level) {
      stage(rgb, depth);
      features[level] = depth;
    };
    run(down_sample_1, 0);
    run(down_sample_2, 1);
    run(down_sample_3, 2);
    run(down_sample_4, 3);
    return features;
  }

  /// Stochastic depth while the network trains: in the colour stream the rate rises linearly over all blocks,
  /// from 0 to `rate`, in the depth stream to a third of it (the official rates are 0.3 and 0.1).
  void set_drop_path(float rate) {
    DropPathRates of_rgb(rate, config.rgb_depths), of_depth(rate / 3, config.depth_depths);
    const auto set = [&](auto& stage) {
      of_rgb.next(stage.rgb_layer);
      of_depth.next(stage.depth_layer);
    };
    set(down_sample_1);
    set(down_sample_2);
    set(down_sample_3);
    set(down_sample_4);
  }

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& visitor) {
    visitor("down_sample_1", self.down_sample_1);
    visitor("down_sample_2", self.down_sample_2);
    visitor("down_sample_3", self.down_sample_3);
    visitor("down_sample_4", self.down_sample_4);
  }
};

}  // namespace dformer
