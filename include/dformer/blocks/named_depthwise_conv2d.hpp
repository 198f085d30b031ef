#pragma once

#include <dformer/nn/conv2d.hpp>

namespace dformer {

/// A depthwise convolution under the name that checkpoints of DFormerv2 and of MixTransformer give it.
/// Shapes: x [N, H, W, Channels] -> the same. Parameters: dwconv.
template <class B, int Channels, int Kernel>
struct NamedDepthwiseConv2d {
  using Backend = B;
  using Tensor = typename B::Tensor;

  DepthwiseConv2d<B, Channels, Kernel> dwconv;

  Tensor operator()(const Tensor& x, const Epilogue<Tensor>& epilogue = {}) const {
    return dwconv(x, epilogue);
  }

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& visitor) {
    visitor("dwconv", self.dwconv);
  }
};

}  // namespace dformer
