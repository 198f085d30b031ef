#pragma once

#include <span>

#include <dformer/heads/class_count.hpp>
#include <dformer/heads/head_norm.hpp>
#include <dformer/nn/conv2d.hpp>
#include <dformer/nn/dropout.hpp>
#include <dformer/nn/linear.hpp>
#include <dformer/nn/norm.hpp>
#include <dformer/stages/features.hpp>

namespace dformer {

/// The MLP head (SegFormer, Xie et al., NeurIPS 2021): each map through a linear layer to EmbedDim channels,
/// at the size of map 0, fused by a 1x1 convolution, classified. Shapes: features -> logits [N, H/4, W/4,
/// NumClasses]. C0 to C3 are the channels of the maps; NumClasses may be any_classes. Parameters:
/// linear_c4.proj, linear_c3.proj, linear_c2.proj, linear_c1.proj, linear_fuse.{0,1}, linear_pred.
template <class B, int C0, int C1, int C2, int C3, int NumClasses, int EmbedDim = 512>
struct MlpHead : ClassCount<NumClasses> {
  using Backend = B;
  using Tensor = typename B::Tensor;

  Linear<B, C3, EmbedDim> linear_c4;
  Linear<B, C2, EmbedDim> linear_c3;
  Linear<B, C1, EmbedDim> linear_c2;
  Linear<B, C0, EmbedDim> linear_c1;
  Conv2d<B, 4 * EmbedDim, EmbedDim> linear_fuse;
  BatchNorm2d<B, EmbedDim> linear_fuse_norm{.eps = head_norm_eps};
  Conv2d<B, EmbedDim, NumClasses> linear_pred;
  Dropout2d<B> dropout;

  MlpHead(ClassCount<NumClasses> classes = {})
      : ClassCount<NumClasses>(classes), linear_pred(classes.num_classes) {}

  Tensor operator()(const Features<Tensor>& features) const {
    const std::int64_t height = features[0].shape()[1];
    const std::int64_t width = features[0].shape()[2];
    const Tensor maps[] = {B::resize_bilinear(linear_c4(features[3]), height, width, false),
                           B::resize_bilinear(linear_c3(features[2]), height, width, false),
                           B::resize_bilinear(linear_c2(features[1]), height, width, false),
                           linear_c1(features[0])};
    return linear_pred(
        dropout(conv_norm(linear_fuse, linear_fuse_norm, maps, {.activation = Activation::relu})));
  }

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& visitor) {
    visitor("linear_c4.proj", self.linear_c4);
    visitor("linear_c3.proj", self.linear_c3);
    visitor("linear_c2.proj", self.linear_c2);
    visitor("linear_c1.proj", self.linear_c1);
    visitor("linear_fuse.0", self.linear_fuse);
    visitor("linear_fuse.1", self.linear_fuse_norm);
    visitor("linear_pred", self.linear_pred);
  }
};

}  // namespace dformer
