#pragma once

#include <dformer/nn/conv2d.hpp>
#include <dformer/nn/norm.hpp>

namespace dformer {

inline constexpr Window halving_window{.kernel = 3, .stride = 2, .padding = 1};
inline constexpr Window keeping_window{.kernel = 3, .stride = 1, .padding = 1};

/// DFormer's stem: two halving 3x3 convolutions, each normalised, a GELU between them.
/// Shapes: x [N, H, W, In] -> [N, ceil(H/4), ceil(W/4), Out]. Parameters: 0 (conv), 1 (norm), 3 (conv), 4
/// (norm).
template <class B, int In, int Out>
struct DFormerStem {
  using Backend = B;
  using Tensor = typename B::Tensor;

  Conv2d<B, In, Out / 2, halving_window> conv0;
  BatchNorm2d<B, Out / 2> norm1;
  Conv2d<B, Out / 2, Out, halving_window> conv3;
  BatchNorm2d<B, Out> norm4;

  Tensor operator()(const Tensor& x) const {
    return conv_norm(conv3, norm4, conv_norm(conv0, norm1, x, {.activation = Activation::gelu}));
  }

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& visitor) {
    visitor("0", self.conv0);
    visitor("1", self.norm1);
    visitor("3", self.conv3);
    visitor("4", self.norm4);
  }
};

/// DFormer's step between stages: normalise, then a halving 3x3 convolution.
/// Shapes: x [N, H, W, In] -> [N, ceil(H/2), ceil(W/2), Out]. Parameters: 0 (norm), 1 (conv).
template <class B, int In, int Out>
struct DFormerDownsample {
  using Backend = B;
  using Tensor = typename B::Tensor;

  BatchNorm2d<B, In> norm0;
  Conv2d<B, In, Out, halving_window> conv1;

  // The padding is added after the normalisation, so the shift cannot move into the convolution.
  Tensor operator()(const Tensor& x) const { return conv1(norm0(x)); }

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& visitor) {
    visitor("0", self.norm0);
    visitor("1", self.conv1);
  }
};

/// DFormerv2's stem: four 3x3 convolutions of strides 2, 1, 2, 1, each normalised, a GELU after the first
/// three. Shapes: x [N, H, W, In] -> [N, ceil(H/4), ceil(W/4), Out]. Parameters: proj.{0,1,3,4,6,7,9,10}.
template <class B, int In, int Out>
struct PatchEmbed {
  using Backend = B;
  using Tensor = typename B::Tensor;

  Conv2d<B, In, Out / 2, halving_window> conv0;
  BatchNorm2d<B, Out / 2> norm1;
  Conv2d<B, Out / 2, Out / 2, keeping_window> conv3;
  BatchNorm2d<B, Out / 2> norm4;
  Conv2d<B, Out / 2, Out, halving_window> conv6;
  BatchNorm2d<B, Out> norm7;
  Conv2d<B, Out, Out, keeping_window> conv9;
  BatchNorm2d<B, Out> norm10;

  Tensor operator()(const Tensor& x) const {
    const Epilogue<Tensor> gelu{.activation = Activation::gelu};
    Tensor y = conv_norm(conv0, norm1, x, gelu);
    y = conv_norm(conv3, norm4, y, gelu);
    y = conv_norm(conv6, norm7, y, gelu);
    return conv_norm(conv9, norm10, y);
  }

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& visitor) {
    visitor("proj.0", self.conv0);
    visitor("proj.1", self.norm1);
    visitor("proj.3", self.conv3);
    visitor("proj.4", self.norm4);
    visitor("proj.6", self.conv6);
    visitor("proj.7", self.norm7);
    visitor("proj.9", self.conv9);
    visitor("proj.10", self.norm10);
  }
};

/// DFormerv2's step between stages: a halving 3x3 convolution, then normalise.
/// Shapes: x [N, H, W, In] -> [N, ceil(H/2), ceil(W/2), Out]. Parameters: reduction, norm.
template <class B, int In, int Out>
struct PatchMerging {
  using Backend = B;
  using Tensor = typename B::Tensor;

  Conv2d<B, In, Out, halving_window> reduction;
  BatchNorm2d<B, Out> norm;

  Tensor operator()(const Tensor& x) const { return conv_norm(reduction, norm, x); }

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& visitor) {
    visitor("reduction", self.reduction);
    visitor("norm", self.norm);
  }
};

}  // namespace dformer
