#pragma once

#include <dformer/blocks/downsampling.hpp>
#include <dformer/heads/class_count.hpp>
#include <dformer/heads/head_norm.hpp>
#include <dformer/nn/conv2d.hpp>
#include <dformer/nn/dropout.hpp>
#include <dformer/nn/norm.hpp>
#include <dformer/stages/features.hpp>

namespace dformer {

/// The FCN head (Long et al., CVPR 2015) on one map: a 3x3 convolution to a quarter of the channels,
/// classified. It also serves as auxiliary head. Shapes: features -> logits at the size of map `Level`.
/// Channels are those of that map; NumClasses may be any_classes. Parameters: conv.{0,1}, classifier.
template <class B, int Channels, int NumClasses, std::size_t Level = 3>
struct FcnHead : ClassCount<NumClasses> {
  static_assert(Level < 4, "FcnHead: a backbone has four feature maps, so Level must be 0 to 3");
  static_assert(Channels >= 4, "FcnHead: Channels must be at least 4, for it works on a quarter of them");
  using Backend = B;
  using Tensor = typename B::Tensor;

  Conv2d<B, Channels, Channels / 4, keeping_window> conv0;
  BatchNorm2d<B, Channels / 4> conv1{.eps = head_norm_eps};
  Conv2d<B, Channels / 4, NumClasses> classifier;
  Dropout2d<B> dropout;

  FcnHead(ClassCount<NumClasses> classes = {})
      : ClassCount<NumClasses>(classes), classifier(classes.num_classes) {}

  Tensor operator()(const Features<Tensor>& features) const {
    return classifier(dropout(conv_norm(conv0, conv1, features[Level], {.activation = Activation::relu})));
  }

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& visitor) {
    visitor("conv.0", self.conv0);
    visitor("conv.1", self.conv1);
    visitor("classifier", self.classifier);
  }
};

}  // namespace dformer
