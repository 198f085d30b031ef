#pragma once

#include <cmath>
#include <type_traits>

#include <dformer/nn/concurrently.hpp>
#include <dformer/nn/conv2d.hpp>
#include <dformer/nn/linear.hpp>
#include <dformer/nn/norm.hpp>

namespace dformer {

/// Colour features and depth features of one stage, [N, H, W, C] and [N, H, W, C / 2]. In the last block of a
/// network the depth features end, and the second is empty.
template <class Tensor>
struct RgbdPair {
  Tensor rgb{};
  Tensor depth{};

  template <class F>
  friend void for_each_tensor(RgbdPair& pair, const F& f) {
    f(pair.rgb);
    f(pair.depth);
  }
};

enum class DepthBranch : bool { ends, goes_on };

/// What a block adds to both streams: its attention or its MLP, as functions of an epilogue, so that the
/// layer scale and the residual sum are done where the values are made.
///
/// DFormer's attention (DFormer, ICLR 2024, section 3.2): global awareness attention (GAA; queries are a
/// PooledSize^2 average pool of both streams, absent where PooledSize is 0) beside local enhancement
/// attention (LEA; a product of depthwise convolutions). Shapes: rgb [N, H, W, Dim], depth [N, H, W, Dim / 2]
/// -> the same. Parameters: q, q_cut, a, l, conv, e_conv, e_fore, e_back, proj, proj_e, short_cut_linear, kv,
/// norm, norm_e.
template <class B, int Dim, int NumHeads, int PooledSize, DepthBranch depth_branch>
struct DFormerAttention {
  static_assert(Dim % 2 == 0,
                "DFormerAttention: Dim must be even, since the depth stream has half the channels");
  static_assert((Dim / 2) % NumHeads == 0, "DFormerAttention: NumHeads must divide Dim / 2");
  using Backend = B;
  using Tensor = typename B::Tensor;
  static constexpr bool global = PooledSize > 0;
  static constexpr int half = Dim / 2;
  static constexpr int joined = global ? 2 * Dim : Dim + half;

  Linear<B, Dim, Dim> q;
  Linear<B, Dim, half> q_cut;
  Linear<B, Dim, Dim> a;
  Linear<B, Dim, Dim> l;
  DepthwiseConv2d<B, Dim, 7> conv;
  DepthwiseConv2d<B, half, 7> e_conv;
  Linear<B, half, half> e_fore;
  Linear<B, half, half> e_back;
  Linear<B, joined, Dim> proj;
  [[no_unique_address]] std::conditional_t<depth_branch == DepthBranch::goes_on, Linear<B, joined, half>,
                                           Absent>
      proj_e;
  [[no_unique_address]] std::conditional_t<global, Linear<B, Dim + half, half>, Absent> short_cut_linear;
  [[no_unique_address]] std::conditional_t<global, Linear<B, Dim, Dim>, Absent> kv;
  LayerNorm<B, Dim> norm;
  LayerNorm<B, half> norm_e;

  /// The epilogues are those of the last projections, `proj` and `proj_e`.
  RgbdPair<Tensor> operator()(const RgbdPair<Tensor>& x, const Epilogue<Tensor>& rgb_epilogue = {},
                              const Epilogue<Tensor>& depth_epilogue = {}) const {
    Tensor rgb, value, depth, depth_detail;
    concurrently<B>(
        x.rgb,
        [&] {
          rgb = norm(x.rgb);
          value = l(rgb, {.activation = Activation::gelu});
        },
        [&] {
          depth = norm_e(x.depth);
          depth_detail = e_conv(e_fore(depth));
        });
    Tensor attended, local, cut;
    concurrently<B>(
        x.rgb,
        [&] {
          if constexpr (global) attended = pooled_attention(rgb, depth, value);
        },
        [&] { local = a(conv(value), {.multiply = q(rgb)}); },
        [&] { cut = e_back(depth_detail, {.multiply = q_cut(rgb)}); });
    if constexpr (global) {
      return project({local, attended, cut}, rgb_epilogue, depth_epilogue);
    } else {
      return project({local, cut}, rgb_epilogue, depth_epilogue);
    }
  }

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& visitor) {
    visitor("q", self.q);
    visitor("q_cut", self.q_cut);
    visitor("a", self.a);
    visitor("l", self.l);
    visitor("conv", self.conv);
    visitor("e_conv", self.e_conv);
    visitor("e_fore", self.e_fore);
    visitor("e_back", self.e_back);
    visitor("proj", self.proj);
    if constexpr (depth_branch == DepthBranch::goes_on) visitor("proj_e", self.proj_e);
    if constexpr (global) {
      visitor("short_cut_linear", self.short_cut_linear);
      visitor("kv", self.kv);
    }
    visitor("norm", self.norm);
    visitor("norm_e", self.norm_e);
  }

 private:
  Tensor pooled_attention(const Tensor& rgb, const Tensor& depth, const Tensor& value) const {
    const std::int64_t n = rgb.shape()[0];
    const std::int64_t height = rgb.shape()[1];
    const std::int64_t width = rgb.shape()[2];
    const Tensor streams[] = {rgb, depth};
    const Tensor queries = short_cut_linear(B::adaptive_avg_pool(streams, PooledSize, PooledSize));
    const Tensor attended = B::attention(B::reshape(queries, {n, PooledSize * PooledSize, half}),
                                         B::reshape(kv(value), {n, height * width, Dim}), NumHeads,
                                         1.0f / std::sqrt(static_cast<float>(half / NumHeads)));
    return B::resize_bilinear(B::reshape(attended, {n, PooledSize, PooledSize, half}), height, width, false);
  }

  RgbdPair<Tensor> project(std::initializer_list<Tensor> joined_streams, const Epilogue<Tensor>& rgb_epilogue,
                           const Epilogue<Tensor>& depth_epilogue) const {
    RgbdPair<Tensor> y;
    concurrently<B>(
        *joined_streams.begin(),
        [&] {
          if constexpr (depth_branch == DepthBranch::goes_on)
            y.depth = proj_e(joined_streams, depth_epilogue);
        },
        [&] { y.rgb = proj(joined_streams, rgb_epilogue); });
    return y;
  }
};

}  // namespace dformer
