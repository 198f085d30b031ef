#pragma once

#include <cmath>
#include <cstdint>

#include <dformer/nn/linear.hpp>
#include <dformer/nn/norm.hpp>

namespace dformer {

/// Cross-modal attention (CMA; AsymFormer, Du et al., CVPRW 2024): two heads whose queries and
/// keys are made half of depth and half of colour, and whose values are the features selected from both.
/// Shapes: depth [N, H, W, DepthDim], rgb [N, H, W, RgbDim], selected [N, H, W, DepthDim] -> as selected, to
/// which the attended is added. Parameters: bn_x1, bn_x2, kq1, kq2, v_conv, out_conv, bn_last.
///
/// The official code leaves out a fifth of the attention's weights while it trains; here none are.
template <class B, int DepthDim, int RgbDim>
struct CrossModalAttention {
  static constexpr int key_dim = RgbDim / 4;      ///< of a head
  static constexpr int value_dim = DepthDim / 4;  ///< of a head
  static_assert(RgbDim % 8 == 0, "CrossModalAttention: RgbDim must be a multiple of 8");
  static_assert(DepthDim % 4 == 0 && DepthDim >= 4, "CrossModalAttention: DepthDim must be a multiple of 4");
  static_assert(value_dim <= key_dim, "CrossModalAttention: DepthDim must not be more than RgbDim");
  using Backend = B;
  using Tensor = typename B::Tensor;

  BatchNorm2d<B, DepthDim> bn_x1;
  BatchNorm2d<B, RgbDim> bn_x2;
  Linear<B, DepthDim, 2 * key_dim> kq1;
  Linear<B, RgbDim, 2 * key_dim> kq2;
  Linear<B, DepthDim, 2 * value_dim> v_conv;
  Linear<B, 2 * value_dim, DepthDim> out_conv;
  BatchNorm2d<B, DepthDim> bn_last;

  Tensor operator()(const Tensor& depth, const Tensor& rgb, const Tensor& selected) const {
    const Tensor of_depth = kq1(bn_x1(depth));
    const Tensor of_rgb = kq2(bn_x2(rgb));
    const Tensor values = v_conv(selected);
    // The official code interleaves the channels of both before it cuts them into the two heads' keys and
    // queries; a product of queries and keys does not know the order of channels.
    constexpr std::int64_t half = key_dim / 2;
    const auto piece = [](const Tensor& x, std::int64_t number) {
      return B::select_channels(x, number * half, half);
    };
    const Tensor queries[] = {piece(of_depth, 1), piece(of_rgb, 1), piece(of_depth, 3), piece(of_rgb, 3)};
    // Values are as wide as keys; what comes of the channels behind a head's own is dropped.
    const Tensor keys_and_values[] = {piece(of_depth, 0),
                                      piece(of_rgb, 0),
                                      piece(of_depth, 2),
                                      piece(of_rgb, 2),
                                      B::select_channels(values, 0, key_dim),
                                      B::select_channels(values, value_dim, key_dim)};
    const Shape& shape = selected.shape();
    const std::int64_t tokens = shape[1] * shape[2];
    const Tensor attended =
        B::reshape(B::attention(B::reshape(B::concat(queries), {shape[0], tokens, 2 * key_dim}),
                                B::reshape(B::concat(keys_and_values), {shape[0], tokens, 4 * key_dim}), 2,
                                1.0f / std::sqrt(static_cast<float>(key_dim))),
                   {shape[0], shape[1], shape[2], 2 * key_dim});
    const Tensor heads[] = {B::select_channels(attended, 0, value_dim),
                            B::select_channels(attended, key_dim, value_dim)};
    return conv_norm(out_conv, bn_last, heads, {.residual = selected});
  }

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& visitor) {
    visitor("bn_x1", self.bn_x1);
    visitor("bn_x2", self.bn_x2);
    visitor("kq1", self.kq1);
    visitor("kq2", self.kq2);
    visitor("v_conv", self.v_conv);
    visitor("out_conv", self.out_conv);
    visitor("bn_last", self.bn_last);
  }
};

}  // namespace dformer
