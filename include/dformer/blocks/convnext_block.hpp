#pragma once

#include <dformer/nn/conv2d.hpp>
#include <dformer/nn/linear.hpp>
#include <dformer/nn/norm.hpp>

namespace dformer {

/// x + gamma * pwconv2(gelu(pwconv1(norm(depthwise7x7(x))))): the block of ConvNeXt (Liu et al., CVPR 2022,
/// section 2.6). Shapes: x [N, H, W, Dim] -> the same. Parameters: gamma, dwconv, norm, pwconv1, pwconv2.
template <class B, int Dim>
struct ConvNeXtBlock {
  using Backend = B;
  using Tensor = typename B::Tensor;

  Parameter<B> gamma{Shape{Dim}};
  DepthwiseConv2d<B, Dim, 7> dwconv;
  LayerNorm<B, Dim> norm;
  Linear<B, Dim, 4 * Dim> pwconv1;
  Linear<B, 4 * Dim, Dim> pwconv2;
  float drop_path = 0.0f;  ///< probability, while the network trains, that a sample passes the block by

  Tensor operator()(const Tensor& x) const {
    const Tensor hidden = pwconv1(norm(dwconv(x)), {.activation = Activation::gelu});
    return pwconv2(hidden, {.layer_scale = gamma.value(), .drop_path = drop_path, .residual = x});
  }

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& visitor) {
    visitor("gamma", self.gamma);
    visitor("dwconv", self.dwconv);
    visitor("norm", self.norm);
    visitor("pwconv1", self.pwconv1);
    visitor("pwconv2", self.pwconv2);
  }
};

/// ConvNeXt's stem: a convolution of patches, then normalise.
/// Shapes: x [N, H, W, In] -> [N, floor(H/4), floor(W/4), Out]. Parameters: 0 (conv), 1 (norm).
template <class B, int In, int Out>
struct ConvNeXtStem {
  using Backend = B;
  using Tensor = typename B::Tensor;

  Conv2d<B, In, Out, Window{.kernel = 4, .stride = 4}> conv0;
  LayerNorm<B, Out> norm1;

  Tensor operator()(const Tensor& x) const { return norm1(conv0(x)); }

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& visitor) {
    visitor("0", self.conv0);
    visitor("1", self.norm1);
  }
};

/// ConvNeXt's step between stages: normalise, then a convolution of patches.
/// Shapes: x [N, H, W, In] -> [N, floor(H/2), floor(W/2), Out]. Parameters: 0 (norm), 1 (conv).
template <class B, int In, int Out>
struct ConvNeXtDownsample {
  using Backend = B;
  using Tensor = typename B::Tensor;

  LayerNorm<B, In> norm0;
  Conv2d<B, In, Out, Window{.kernel = 2, .stride = 2}> conv1;

  Tensor operator()(const Tensor& x) const { return conv1(norm0(x)); }

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& visitor) {
    visitor("0", self.norm0);
    visitor("1", self.conv1);
  }
};

}  // namespace dformer
