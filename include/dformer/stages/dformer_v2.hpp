#pragma once

#include <array>
#include <vector>

#include <dformer/blocks/dformer_v2_block.hpp>
#include <dformer/blocks/downsampling.hpp>
#include <dformer/nn/run_block.hpp>
#include <dformer/stages/config_checks.hpp>
#include <dformer/stages/drop_path_rates.hpp>
#include <dformer/stages/features.hpp>

namespace dformer {

/// What makes a variant of DFormerv2. Every array has one entry a stage.
struct DFormerV2Config {
  std::array<int, 4> dims;                                       ///< channels
  std::array<int, 4> depths;                                     ///< number of blocks
  std::array<int, 4> num_heads;                                  ///< heads of the geometry attention
  std::array<int, 4> heads_ranges;                               ///< spread of the heads' decay
  std::array<int, 4> mlp_ratios{4, 4, 3, 3};                     ///< hidden width of an MLP over its width
  std::array<bool, 4> layer_scales{false, false, false, false};  ///< whether blocks scale what they add
};

/// The geometry-attention encoder of DFormerv2 (Yin et al., CVPR 2025, section 3): depth is no stream of its
/// own but decides how far each token's attention reaches. Shapes: rgb [N, H, W, 3], depth [N, H, W, 1], any
/// H and W -> four maps of dims[i] channels; maps 1 to 3 are normalised. Parameters: patch_embed,
/// layers.i.blocks.j, layers.i.downsample, extra_norms.i.
template <class B, const DFormerV2Config& config>
struct DFormerV2 {
  static_assert(at_least(1, config.dims) && at_least(1, config.mlp_ratios),
                "DFormerV2: dims and mlp_ratios must be at least 1 in every stage");
  static_assert(heads_divide_dims(config.dims, config.num_heads, 2),
                "DFormerV2: twice num_heads must divide dims in every stage");
  static_assert(at_least(1, config.depths), "DFormerV2: depths must be at least 1 in every stage");
  static_assert(at_least(0, config.heads_ranges), "DFormerV2: heads_ranges must be 0 or more");
  static_assert(config.dims[0] % 2 == 0, "DFormerV2: dims[0] must be even, for the stem");
  using Backend = B;
  using Tensor = typename B::Tensor;
  static constexpr const std::array<int, 4>& feature_channels = config.dims;

  template <std::size_t i>
  using Block =
      DFormerV2Block<B, config.dims[i], config.num_heads[i], config.mlp_ratios[i], config.heads_ranges[i],
                     i == 3 ? GeometryAttention::full : GeometryAttention::decomposed,
                     config.layer_scales[i] ? LayerScale::with : LayerScale::without>;
  template <std::size_t i>
  using Blocks = std::vector<Block<i>>;

  PatchEmbed<B, 3, config.dims[0]> patch_embed;
  Blocks<0> stage0 = Blocks<0>(config.depths[0]);
  PatchMerging<B, config.dims[0], config.dims[1]> downsample0;
  Blocks<1> stage1 = Blocks<1>(config.depths[1]);
  PatchMerging<B, config.dims[1], config.dims[2]> downsample1;
  Blocks<2> stage2 = Blocks<2>(config.depths[2]);
  PatchMerging<B, config.dims[2], config.dims[3]> downsample2;
  Blocks<3> stage3 = Blocks<3>(config.depths[3]);
  LayerNorm<B, config.dims[1]> extra_norm0{.eps = extra_norm_eps};
  LayerNorm<B, config.dims[2]> extra_norm1{.eps = extra_norm_eps};
  LayerNorm<B, config.dims[3]> extra_norm2{.eps = extra_norm_eps};

  Features<Tensor> operator()(const Tensor& rgb, const Tensor& depth) const {
    require_rgbd(rgb.shape(), depth.shape());
    const Tensor x0 = run(stage0, patch_embed(rgb), depth);
    const Tensor x1 = run(stage1, downsample0(x0), depth);
    const Tensor x2 = run(stage2, downsample1(x1), depth);
    const Tensor x3 = run(stage3, downsample2(x2), depth);
    return {{x0, extra_norm0(x1), extra_norm1(x2), extra_norm2(x3)}};
  }

  /// Stochastic depth while the network trains: the rate rises linearly over all blocks, from 0 to `rate`.
  void set_drop_path(float rate) {
    DropPathRates rates(rate, config.depths);
    rates.next(stage0);
    rates.next(stage1);
    rates.next(stage2);
    rates.next(stage3);
  }

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& visitor) {
    visitor("patch_embed", self.patch_embed);
    visitor("layers.0.blocks", self.stage0);
    visitor("layers.0.downsample", self.downsample0);
    visitor("layers.1.blocks", self.stage1);
    visitor("layers.1.downsample", self.downsample1);
    visitor("layers.2.blocks", self.stage2);
    visitor("layers.2.downsample", self.downsample2);
    visitor("layers.3.blocks", self.stage3);
    visitor("extra_norms.0", self.extra_norm0);
    visitor("extra_norms.1", self.extra_norm1);
    visitor("extra_norms.2", self.extra_norm2);
  }

 private:
  static constexpr float extra_norm_eps = 1e-5f;

  template <class Run>
  static Tensor run(const Run& blocks, Tensor x, const Tensor& depth) {
    // Straight from the input's size to the token grid, once for all blocks of the stage.
    const Tensor grid = B::resize_bilinear(depth, x.shape()[1], x.shape()[2], false);
    for (const auto& block : blocks) x = run_block(block, x, grid);
    return x;
  }
};

}  // namespace dformer
