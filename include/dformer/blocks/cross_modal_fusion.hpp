#pragma once

#include <dformer/blocks/cross_modal_attention.hpp>
#include <dformer/blocks/feature_selection.hpp>
#include <dformer/nn/conv2d.hpp>
#include <dformer/nn/norm.hpp>

namespace dformer {

/// How the depth stream of AsymFormer (Du et al., CVPRW 2024) takes up colour: features selected from both,
/// brought to the width of depth, and attended to. Shapes: depth [N, H, W, DepthDim], rgb [N, H, W, RgbDim]
/// -> as depth. Parameters: fus_atten, conv_bn, cross_atten.
template <class B, int DepthDim, int RgbDim>
struct CrossModalFusion {
  using Backend = B;
  using Tensor = typename B::Tensor;

  FeatureSelection<B, DepthDim + RgbDim> fus_atten;
  Conv2d<B, DepthDim + RgbDim, DepthDim, Window{}, Bias::without> conv;
  BatchNorm2d<B, DepthDim> norm;
  CrossModalAttention<B, DepthDim, RgbDim> cross_atten;

  Tensor operator()(const Tensor& depth, const Tensor& rgb) const {
    const Tensor both[] = {depth, rgb};
    return cross_atten(depth, rgb, conv_norm(conv, norm, fus_atten(B::concat(both))));
  }

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& visitor) {
    visitor("fus_atten", self.fus_atten);
    visitor("conv_bn.0", self.conv);
    visitor("conv_bn.1", self.norm);
    visitor("cross_atten", self.cross_atten);
  }
};

}  // namespace dformer
