#pragma once

#include <span>

#include <dformer/blocks/hamburger.hpp>
#include <dformer/heads/class_count.hpp>
#include <dformer/heads/head_norm.hpp>
#include <dformer/nn/conv2d.hpp>
#include <dformer/nn/dropout.hpp>
#include <dformer/nn/norm.hpp>
#include <dformer/stages/features.hpp>

namespace dformer {

/// The light Hamburger head (SegNeXt, Guo et al., NeurIPS 2022; DFormer's default): maps 1 to 3 at the size
/// of map 1, squeezed, decomposed, aligned, classified. Shapes: features -> logits [N, H/8, W/8, NumClasses].
/// C1, C2, C3 are the channels of maps 1 to 3; NumClasses may be any_classes. Parameters: conv_seg,
/// squeeze.{conv,bn}, hamburger, align.{conv,bn}.
template <class B, int C1, int C2, int C3, int NumClasses, int EmbedDim = 512, int HamChannels = 512,
          int Rank = 64>
struct LightHamHead : ClassCount<NumClasses> {
  using Backend = B;
  using Tensor = typename B::Tensor;

  Conv2d<B, EmbedDim, NumClasses> conv_seg;
  Conv2d<B, C1 + C2 + C3, HamChannels, Window{}, Bias::without> squeeze;
  BatchNorm2d<B, HamChannels> squeeze_norm{.eps = head_norm_eps};
  Hamburger<B, HamChannels, Rank> hamburger;
  Conv2d<B, HamChannels, EmbedDim, Window{}, Bias::without> align;
  BatchNorm2d<B, EmbedDim> align_norm{.eps = head_norm_eps};
  Dropout2d<B> dropout;

  LightHamHead(ClassCount<NumClasses> classes = {})
      : ClassCount<NumClasses>(classes), conv_seg(classes.num_classes) {
    hamburger.ham_out_norm.eps = head_norm_eps;
  }

  Tensor operator()(const Features<Tensor>& features) const {
    const std::int64_t height = features[1].shape()[1];
    const std::int64_t width = features[1].shape()[2];
    const Tensor maps[] = {features[1], B::resize_bilinear(features[2], height, width, false),
                           B::resize_bilinear(features[3], height, width, false)};
    const Epilogue<Tensor> relu{.activation = Activation::relu};
    const Tensor x = hamburger(conv_norm(squeeze, squeeze_norm, maps, relu));
    return conv_seg(dropout(conv_norm(align, align_norm, x, relu)));
  }

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& visitor) {
    visitor("conv_seg", self.conv_seg);
    visitor("squeeze.conv", self.squeeze);
    visitor("squeeze.bn", self.squeeze_norm);
    visitor("hamburger", self.hamburger);
    visitor("align.conv", self.align);
    visitor("align.bn", self.align_norm);
  }
};

}  // namespace dformer
