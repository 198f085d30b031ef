#pragma once

#include <array>
#include <utility>
#include <vector>

#include <dformer/blocks/dformer_block.hpp>
#include <dformer/blocks/downsampling.hpp>
#include <dformer/nn/concurrently.hpp>
#include <dformer/nn/run_block.hpp>
#include <dformer/stages/config_checks.hpp>
#include <dformer/stages/drop_path_rates.hpp>
#include <dformer/stages/features.hpp>

namespace dformer {

/// What makes a variant of DFormer. Every array has one entry a stage.
struct DFormerConfig {
  std::array<int, 4> dims;                      ///< channels of the colour stream; the depth stream has half
  std::array<int, 4> depths;                    ///< number of blocks
  std::array<int, 4> num_heads{1, 2, 4, 8};     ///< heads of the pooled-query attention
  std::array<int, 4> mlp_ratios{8, 8, 4, 4};    ///< hidden width of an MLP over its width
  std::array<int, 4> pooled_sizes{0, 7, 7, 7};  ///< queries a side; 0: a stage without global attention
};

/// The colour-and-depth encoder of DFormer (Yin et al., ICLR 2024, section 3).
/// Shapes: rgb [N, H, W, 3], depth [N, H, W, 1], any H and W -> four maps of dims[i] channels.
/// Parameters: downsample_layers.i, downsample_layers_e.i, stages.i.j.
template <class B, const DFormerConfig& config>
struct DFormer {
  static_assert(at_least(1, config.dims) && at_least(1, config.mlp_ratios),
                "DFormer: dims and mlp_ratios must be at least 1 in every stage");
  static_assert(heads_divide_dims(config.dims, config.num_heads, 2),
                "DFormer: twice num_heads must divide dims in every stage");
  static_assert(at_least(1, config.depths), "DFormer: depths must be at least 1 in every stage");
  static_assert(at_least(0, config.pooled_sizes),
                "DFormer: pooled_sizes must be 0 (no global attention) or more");
  static_assert(config.dims[0] % 4 == 0,
                "DFormer: dims[0] must be a multiple of 4, for the stem of the depth stream");
  using Backend = B;
  using Tensor = typename B::Tensor;
  static constexpr const std::array<int, 4>& feature_channels = config.dims;

  template <std::size_t i, DepthBranch depth_branch = DepthBranch::goes_on>
  using Block = DFormerBlock<B, config.dims[i], config.num_heads[i], config.pooled_sizes[i],
                             config.mlp_ratios[i], depth_branch>;
  template <std::size_t i>
  using Blocks = std::vector<Block<i>>;

  /// One stream's way from stage to stage; the depth stream has half the channels.
  template <int In, int Divisor>
  struct Downsampling {
    using Backend = B;
    DFormerStem<B, In, config.dims[0] / Divisor> stem;
    DFormerDownsample<B, config.dims[0] / Divisor, config.dims[1] / Divisor> step1;
    DFormerDownsample<B, config.dims[1] / Divisor, config.dims[2] / Divisor> step2;
    DFormerDownsample<B, config.dims[2] / Divisor, config.dims[3] / Divisor> step3;

    template <class Self, class Visitor>
    static void visit(Self& self, Visitor& visitor) {
      visitor("0", self.stem);
      visitor("1", self.step1);
      visitor("2", self.step2);
      visitor("3", self.step3);
    }
  };

  Downsampling<3, 1> downsample_layers;
  Downsampling<1, 2> downsample_layers_e;
  Blocks<0> stage0 = Blocks<0>(config.depths[0]);
  Blocks<1> stage1 = Blocks<1>(config.depths[1]);
  Blocks<2> stage2 = Blocks<2>(config.depths[2]);
  Blocks<3> stage3 = Blocks<3>(config.depths[3] - 1);
  Block<3, DepthBranch::ends> last_block;

  Features<Tensor> operator()(const Tensor& rgb, const Tensor& depth) const {
    require_rgbd(rgb.shape(), depth.shape());
    const auto& down = downsample_layers;
    const auto& down_e = downsample_layers_e;
    Features<Tensor> features;
    RgbdPair<Tensor> x = run(stage0, downsampled(down.stem, down_e.stem, {rgb, depth}));
    features[0] = x.rgb;
    x = run(stage1, downsampled(down.step1, down_e.step1, x));
    features[1] = x.rgb;
    x = run(stage2, downsampled(down.step2, down_e.step2, x));
    features[2] = x.rgb;
    x = run(stage3, downsampled(down.step3, down_e.step3, x));
    features[3] = run_block(last_block, x).rgb;
    return features;
  }

  /// Stochastic depth while the network trains: the rate rises linearly over all blocks, from 0 to `rate`.
  void set_drop_path(float rate) {
    DropPathRates rates(rate, config.depths);
    rates.next(stage0);
    rates.next(stage1);
    rates.next(stage2);
    rates.next(stage3);
    last_block.drop_path = rates.next();
  }

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& visitor) {
    visitor("downsample_layers", self.downsample_layers);
    visitor("downsample_layers_e", self.downsample_layers_e);
    visitor("stages.0", self.stage0);
    visitor("stages.1", self.stage1);
    visitor("stages.2", self.stage2);
    visitor("stages.3", self.stage3);
    visitor("stages.3." + std::to_string(config.depths[3] - 1), self.last_block);
  }

 private:
  template <class Step, class DepthStep>
  static RgbdPair<Tensor> downsampled(const Step& step, const DepthStep& depth_step,
                                      const RgbdPair<Tensor>& x) {
    RgbdPair<Tensor> y;
    concurrently<B>(
        x.rgb, [&] { y.rgb = step(x.rgb); }, [&] { y.depth = depth_step(x.depth); });
    return y;
  }
  template <class Run>
  static RgbdPair<Tensor> run(const Run& blocks, RgbdPair<Tensor> x) {
    for (const auto& block : blocks) x = run_block(block, x);
    return x;
  }
};

}  // namespace dformer
