#pragma once

#include <cstdint>
#include <span>
#include <type_traits>

#include <dformer/heads/class_count.hpp>
#include <dformer/heads/head_norm.hpp>
#include <dformer/nn/conv2d.hpp>
#include <dformer/nn/dropout.hpp>
#include <dformer/nn/linear.hpp>
#include <dformer/nn/norm.hpp>
#include <dformer/stages/features.hpp>

namespace dformer {

/// Whose MLP head: the first layers of AsymFormer's are 1x1 convolutions in its checkpoints, and its norm has
/// an epsilon of 1e-5.
enum class MlpHeadOf : std::uint8_t { dformer, asymformer };

/// The MLP head (SegFormer, Xie et al., NeurIPS 2021): each map through a linear layer to EmbedDim channels,
/// at the size of map 0, fused by a 1x1 convolution, classified. Shapes: features -> logits [N, H/4, W/4,
/// NumClasses]. C0 to C3 are the channels of the maps; NumClasses may be any_classes. Parameters:
/// linear_c4.proj, linear_c3.proj, linear_c2.proj, linear_c1.proj, linear_fuse.{0,1}, linear_pred.
template <class B, int C0, int C1, int C2, int C3, int NumClasses, int EmbedDim = 512,
          MlpHeadOf network = MlpHeadOf::dformer>
struct MlpHead : ClassCount<NumClasses> {
  using Backend = B;
  using Tensor = typename B::Tensor;

  template <int In>
  using Projection =
      std::conditional_t<network == MlpHeadOf::dformer, Linear<B, In, EmbedDim>, Conv2d<B, In, EmbedDim>>;

  Projection<C3> linear_c4;
  Projection<C2> linear_c3;
  Projection<C1> linear_c2;
  Projection<C0> linear_c1;
  Conv2d<B, 4 * EmbedDim, EmbedDim> linear_fuse;
  BatchNorm2d<B, EmbedDim> linear_fuse_norm{.eps = network == MlpHeadOf::dformer ? head_norm_eps : 1e-5f};
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
