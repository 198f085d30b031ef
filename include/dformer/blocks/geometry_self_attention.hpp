#pragma once

#include <cmath>

#include <dformer/backend/geometry_prior.hpp>
#include <dformer/blocks/named_depthwise_conv2d.hpp>
#include <dformer/nn/concurrently.hpp>
#include <dformer/nn/conv2d.hpp>
#include <dformer/nn/linear.hpp>

namespace dformer {

/// Geometry self-attention (DFormerv2, CVPR 2025, section 3.2): attention whose scores are lowered with
/// distance in the image and in depth, plus a 5x5 depthwise convolution of the values (LEPE). Shapes: x [N,
/// H, W, Dim] -> the same. Parameters: q_proj, k_proj, v_proj, lepe, out_proj.
template <class B, int Dim, int NumHeads, GeometryAttention kind>
struct GeometrySelfAttention {
  using Backend = B;
  using Tensor = typename B::Tensor;

  Linear<B, Dim, Dim> q_proj;
  Linear<B, Dim, Dim> k_proj;
  Linear<B, Dim, Dim> v_proj;
  NamedDepthwiseConv2d<B, Dim, 5> lepe;
  Linear<B, Dim, Dim> out_proj;

  /// angle [Dim / NumHeads]; the epilogue is that of `out_proj`.
  Tensor operator()(const Tensor& x, const GeometryPrior<Tensor>& prior, const Tensor& angle,
                    const Epilogue<Tensor>& epilogue = {}) const {
    const float scale = 1.0f / std::sqrt(static_cast<float>(Dim / NumHeads));
    Tensor queries, keys, values;
    concurrently<B>(
        x, [&] { queries = B::rotary(q_proj(x), angle, NumHeads, 1.0f); },
        [&] { keys = B::rotary(k_proj(x), angle, NumHeads, scale); }, [&] { values = v_proj(x); });
    const Tensor attended = B::geometry_attention(queries, keys, values, prior, NumHeads, kind);
    return out_proj(lepe(values, {.residual = attended}), epilogue);
  }

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& visitor) {
    visitor("q_proj", self.q_proj);
    visitor("k_proj", self.k_proj);
    visitor("v_proj", self.v_proj);
    visitor("lepe", self.lepe);
    visitor("out_proj", self.out_proj);
  }
};

}  // namespace dformer
