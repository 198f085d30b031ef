#pragma once

#include <type_traits>

#include <dformer/blocks/geometry_prior_generator.hpp>
#include <dformer/blocks/geometry_self_attention.hpp>
#include <dformer/nn/norm.hpp>

namespace dformer {

/// fc2(h + depthwise3x3(h)) with h = gelu(fc1(x)).
/// Shapes: x [N, H, W, Dim] -> the same. Parameters: fc1, fc2, dwconv.
template <class B, int Dim, int HiddenDim>
struct DFormerV2Mlp {
  using Backend = B;
  using Tensor = typename B::Tensor;

  Linear<B, Dim, HiddenDim> fc1;
  Linear<B, HiddenDim, Dim> fc2;
  NamedDepthwiseConv2d<B, HiddenDim, 3> dwconv;

  /// The epilogue is that of `fc2`.
  Tensor operator()(const Tensor& x, const Epilogue<Tensor>& epilogue = {}) const {
    const Tensor hidden = fc1(x, {.activation = Activation::gelu});
    return fc2(dwconv(hidden, {.residual = hidden}), epilogue);
  }

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& visitor) {
    visitor("fc1", self.fc1);
    visitor("fc2", self.fc2);
    visitor("dwconv", self.dwconv);
  }
};

enum class LayerScale : bool { without, with };

/// A DFormerv2 block (CVPR 2025, figure 3): a 3x3 depthwise position code, geometry self-attention and an
/// MLP, each added to its input, the last two scaled by gamma where the variant has one. Shapes: x [N, H, W,
/// Dim] -> the same; depth [N, H, W, 1], on the token grid. Parameters: gamma_1, gamma_2, layer_norm1,
/// layer_norm2, Attention, ffn, cnn_pos_encode, Geo.
template <class B, int Dim, int NumHeads, int MlpRatio, int HeadsRange, GeometryAttention kind,
          LayerScale layer_scale>
struct DFormerV2Block {
  using Backend = B;
  using Tensor = typename B::Tensor;
  static constexpr bool has_layer_scale = layer_scale == LayerScale::with;

  struct Scales {
    Parameter<B> first{Shape{1, 1, 1, Dim}};
    Parameter<B> second{Shape{1, 1, 1, Dim}};
  };

  [[no_unique_address]] std::conditional_t<has_layer_scale, Scales, Absent> gamma;
  LayerNorm<B, Dim> layer_norm1;
  LayerNorm<B, Dim> layer_norm2;
  GeometrySelfAttention<B, Dim, NumHeads, kind> attention;
  DFormerV2Mlp<B, Dim, Dim * MlpRatio> ffn;
  NamedDepthwiseConv2d<B, Dim, 3> cnn_pos_encode;
  GeometryPriorGenerator<B, Dim, NumHeads, HeadsRange> geo;
  float drop_path = 0.0f;  ///< probability, while the network trains, that a sample passes an addition by

  Tensor operator()(const Tensor& input, const Tensor& depth) const {
    const Tensor x = cnn_pos_encode(input, {.residual = input});
    Epilogue<Tensor> first{.drop_path = drop_path, .residual = x};
    if constexpr (has_layer_scale) first.layer_scale = gamma.first.value();
    const Tensor y = attention(layer_norm1(x), geo(depth), geo.angle.value(), first);
    Epilogue<Tensor> second{.drop_path = drop_path, .residual = y};
    if constexpr (has_layer_scale) second.layer_scale = gamma.second.value();
    return ffn(layer_norm2(y), second);
  }

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& visitor) {
    if constexpr (has_layer_scale) {
      visitor("gamma_1", self.gamma.first);
      visitor("gamma_2", self.gamma.second);
    }
    visitor("layer_norm1", self.layer_norm1);
    visitor("layer_norm2", self.layer_norm2);
    visitor("Attention", self.attention);
    visitor("ffn", self.ffn);
    visitor("cnn_pos_encode", self.cnn_pos_encode);
    visitor("Geo", self.geo);
  }
};

}  // namespace dformer
