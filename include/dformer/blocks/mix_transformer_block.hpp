#pragma once

#include <cmath>
#include <cstdint>
#include <type_traits>

#include <dformer/blocks/named_depthwise_conv2d.hpp>
#include <dformer/nn/conv2d.hpp>
#include <dformer/nn/linear.hpp>
#include <dformer/nn/norm.hpp>

namespace dformer {

/// Normalisations beside the convolutions of MixTransformer have this epsilon, those of its blocks
/// LayerNorm's.
inline constexpr float mix_transformer_conv_norm_eps = 1e-5f;

/// Overlapping patches as tokens (SegFormer, Xie et al., NeurIPS 2021, section 3.1): a convolution whose
/// kernel is wider than its stride, then normalise. Shapes: x [N, H, W, In] -> [N, ceil(H/Stride),
/// ceil(W/Stride), Out]. Parameters: proj, norm.
template <class B, int In, int Out, int Kernel, int Stride>
struct OverlapPatchEmbed {
  static_assert(Kernel % 2 == 1 && Kernel > Stride,
                "OverlapPatchEmbed: Kernel must be odd, and more than Stride for patches to overlap");
  using Backend = B;
  using Tensor = typename B::Tensor;

  Conv2d<B, In, Out, Window{.kernel = Kernel, .stride = Stride, .padding = Kernel / 2}> proj;
  LayerNorm<B, Out> norm{.eps = mix_transformer_conv_norm_eps};

  Tensor operator()(const Tensor& x) const { return norm(proj(x)); }

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& visitor) {
    visitor("proj", self.proj);
    visitor("norm", self.norm);
  }
};

/// Attention whose keys and values come from patches of Reduction x Reduction tokens, made one each by a
/// convolution (SegFormer, section 3.1, equation 2). Shapes: x [N, H, W, Dim] -> the same; H and W are at
/// least Reduction. Parameters: q, kv, proj; sr, norm where Reduction is more than 1.
template <class B, int Dim, int NumHeads, int Reduction>
struct SpatialReductionAttention {
  static_assert(NumHeads >= 1 && Dim % NumHeads == 0, "SpatialReductionAttention: NumHeads must divide Dim");
  using Backend = B;
  using Tensor = typename B::Tensor;
  static constexpr bool reduces = Reduction > 1;

  Linear<B, Dim, Dim> q;
  Linear<B, Dim, 2 * Dim> kv;
  Linear<B, Dim, Dim> proj;
  [[no_unique_address]] std::conditional_t<
      reduces, Conv2d<B, Dim, Dim, Window{.kernel = Reduction, .stride = Reduction}>, Absent>
      sr;
  [[no_unique_address]] std::conditional_t<reduces, LayerNorm<B, Dim>, Absent> norm;

  SpatialReductionAttention() {
    if constexpr (reduces) norm.eps = mix_transformer_conv_norm_eps;
  }

  /// The epilogue is that of `proj`.
  Tensor operator()(const Tensor& x, const Epilogue<Tensor>& epilogue = {}) const {
    const Tensor attended = B::attention(tokens(q(x)), tokens(kv(reduced(x))), NumHeads,
                                         1.0f / std::sqrt(static_cast<float>(Dim / NumHeads)));
    return proj(B::reshape(attended, x.shape()), epilogue);
  }

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& visitor) {
    visitor("q", self.q);
    visitor("kv", self.kv);
    visitor("proj", self.proj);
    if constexpr (reduces) {
      visitor("sr", self.sr);
      visitor("norm", self.norm);
    }
  }

 private:
  static Tensor tokens(const Tensor& x) {
    const Shape& shape = x.shape();
    return B::reshape(x, {shape[0], shape[1] * shape[2], shape[3]});
  }
  Tensor reduced(const Tensor& x) const {
    if constexpr (reduces) {
      return norm(sr(x));
    } else {
      return x;
    }
  }
};

/// fc2(gelu(depthwise3x3(fc1(x)))): SegFormer's Mix-FFN (section 3.1, equation 3), without its residual sum.
/// Shapes: x [N, H, W, Dim] -> the same. Parameters: fc1, dwconv, fc2.
template <class B, int Dim, int HiddenDim>
struct MixFfn {
  using Backend = B;
  using Tensor = typename B::Tensor;

  Linear<B, Dim, HiddenDim> fc1;
  NamedDepthwiseConv2d<B, HiddenDim, 3> dwconv;
  Linear<B, HiddenDim, Dim> fc2;

  /// The epilogue is that of `fc2`.
  Tensor operator()(const Tensor& x, const Epilogue<Tensor>& epilogue = {}) const {
    return fc2(dwconv(fc1(x), {.activation = Activation::gelu}), epilogue);
  }

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& visitor) {
    visitor("fc1", self.fc1);
    visitor("dwconv", self.dwconv);
    visitor("fc2", self.fc2);
  }
};

/// A block of MixTransformer (SegFormer, section 3.1): attention, then the Mix-FFN, each of the normalised
/// input and added to it. Shapes: x [N, H, W, Dim] -> the same. Parameters: norm1, attn, norm2, mlp.
template <class B, int Dim, int NumHeads, int Reduction, int MlpRatio>
struct MixTransformerBlock {
  using Backend = B;
  using Tensor = typename B::Tensor;

  LayerNorm<B, Dim> norm1;
  SpatialReductionAttention<B, Dim, NumHeads, Reduction> attn;
  LayerNorm<B, Dim> norm2;
  MixFfn<B, Dim, Dim * MlpRatio> mlp;
  float drop_path = 0.0f;  ///< probability, while the network trains, that a sample passes an addition by

  Tensor operator()(const Tensor& x) const {
    const Tensor y = attn(norm1(x), {.drop_path = drop_path, .residual = x});
    return mlp(norm2(y), {.drop_path = drop_path, .residual = y});
  }

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& visitor) {
    visitor("norm1", self.norm1);
    visitor("attn", self.attn);
    visitor("norm2", self.norm2);
    visitor("mlp", self.mlp);
  }
};

}  // namespace dformer
