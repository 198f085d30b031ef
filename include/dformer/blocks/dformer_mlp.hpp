#pragma once

#include <dformer/nn/conv2d.hpp>
#include <dformer/nn/linear.hpp>
#include <dformer/nn/norm.hpp>

namespace dformer {

/// fc2(gelu(fc1(norm(x)) + depthwise3x3)): the MLP of a DFormer block with its positional convolution.
/// Shapes: x [N, H, W, Dim] -> the same. Parameters: norm, fc1, pos, fc2.
template <class B, int Dim, int Ratio>
struct DFormerMlp {
  using Backend = B;
  using Tensor = typename B::Tensor;

  LayerNorm<B, Dim> norm;
  Linear<B, Dim, Dim * Ratio> fc1;
  DepthwiseConv2d<B, Dim * Ratio, 3> pos;
  Linear<B, Dim * Ratio, Dim> fc2;

  /// The epilogue is that of `fc2`.
  Tensor operator()(const Tensor& x, const Epilogue<Tensor>& epilogue = {}) const {
    const Tensor hidden = fc1(norm(x));
    return fc2(pos(hidden, {.residual = hidden, .final_activation = Activation::gelu}), epilogue);
  }

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& visitor) {
    visitor("norm", self.norm);
    visitor("fc1", self.fc1);
    visitor("pos", self.pos);
    visitor("fc2", self.fc2);
  }
};

}  // namespace dformer
