#pragma once

#include <type_traits>

#include <dformer/blocks/dformer_attention.hpp>
#include <dformer/blocks/dformer_mlp.hpp>
#include <dformer/nn/concurrently.hpp>

namespace dformer {

/// A DFormer block (ICLR 2024, figure 4): x + layer_scale_1 * attention(x), then x + layer_scale_2 * mlp(x),
/// for the colour and the depth stream; the last block of a network leaves the depth stream out. Shapes: rgb
/// [N, H, W, Dim], depth [N, H, W, Dim / 2] -> the same. Parameters: layer_scale_1, layer_scale_2,
/// layer_scale_1_e, layer_scale_2_e, attn, mlp, mlp_e2.
template <class B, int Dim, int NumHeads, int PooledSize, int MlpRatio,
          DepthBranch depth_branch = DepthBranch::goes_on>
struct DFormerBlock {
  using Backend = B;
  using Tensor = typename B::Tensor;
  static constexpr bool has_depth = depth_branch == DepthBranch::goes_on;
  static constexpr int half = Dim / 2;

  struct DepthScales {
    Parameter<B> first{Shape{half}};
    Parameter<B> second{Shape{half}};
  };

  Parameter<B> layer_scale_1{Shape{Dim}};
  Parameter<B> layer_scale_2{Shape{Dim}};
  [[no_unique_address]] std::conditional_t<has_depth, DepthScales, Absent> layer_scale_e;
  DFormerAttention<B, Dim, NumHeads, PooledSize, depth_branch> attn;
  DFormerMlp<B, Dim, MlpRatio> mlp;
  [[no_unique_address]] std::conditional_t<has_depth, DFormerMlp<B, half, MlpRatio>, Absent> mlp_e2;
  float drop_path = 0.0f;  ///< probability, while the network trains, that a sample passes an addition by

  RgbdPair<Tensor> operator()(const RgbdPair<Tensor>& x) const {
    if constexpr (has_depth) {
      RgbdPair<Tensor> y = attn(x, added_to(x.rgb, layer_scale_1), added_to(x.depth, layer_scale_e.first));
      concurrently<B>(
          y.rgb, [&] { y.rgb = mlp(y.rgb, added_to(y.rgb, layer_scale_2)); },
          [&] { y.depth = mlp_e2(y.depth, added_to(y.depth, layer_scale_e.second)); });
      return y;
    } else {
      const RgbdPair<Tensor> y = attn(x, added_to(x.rgb, layer_scale_1));
      return {.rgb = mlp(y.rgb, added_to(y.rgb, layer_scale_2))};
    }
  }

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& visitor) {
    visitor("layer_scale_1", self.layer_scale_1);
    visitor("layer_scale_2", self.layer_scale_2);
    if constexpr (has_depth) {
      visitor("layer_scale_1_e", self.layer_scale_e.first);
      visitor("layer_scale_2_e", self.layer_scale_e.second);
    }
    visitor("attn", self.attn);
    visitor("mlp", self.mlp);
    if constexpr (has_depth) visitor("mlp_e2", self.mlp_e2);
  }

 private:
  Epilogue<Tensor> added_to(const Tensor& x, const Parameter<B>& layer_scale) const {
    return {.layer_scale = layer_scale.value(), .drop_path = drop_path, .residual = x};
  }
};

}  // namespace dformer
