#pragma once

#include <concepts>
#include <cstdint>
#include <span>

#include <dformer/backend/epilogue.hpp>
#include <dformer/backend/geometry_prior.hpp>
#include <dformer/backend/weight_layout.hpp>
#include <dformer/backend/window.hpp>
#include <dformer/core/shape.hpp>

/// What a backend must offer, as a sum of op families. A backend is a stateless type with static functions
/// over its own Tensor (a cheap handle: empty by default, `shape()`, tests true when it holds elements) and
/// Device. All image tensors are [N, H, W, C]; weights are made by `weight_from_host`, in an order that is
/// the backend's own. Each backend asserts every family at its definition, so a missing operation is reported
/// there and by name.
namespace dformer {

template <class B>
using TensorOf = typename B::Tensor;
template <class B>
using DeviceOf = typename B::Device;

template <class B>
concept StorageFamily = requires(const DeviceOf<B>& device, const TensorOf<B>& x, const Shape& shape,
                                 std::span<const float> in, std::span<float> out, WeightLayout layout) {
  { B::default_device() } -> std::convertible_to<const DeviceOf<B>&>;
  { B::empty(device, shape) } -> std::same_as<TensorOf<B>>;
  { B::from_host(device, shape, in) } -> std::same_as<TensorOf<B>>;
  B::to_host(x, out);
  { B::reshape(x, shape) } -> std::same_as<TensorOf<B>>;
  { B::weight_from_host(device, layout, shape, in) } -> std::same_as<TensorOf<B>>;
  B::weight_to_host(x, layout, out);
  { x.shape() } -> std::convertible_to<Shape>;
  { x.device() } -> std::convertible_to<DeviceOf<B>>;
  static_cast<bool>(x);
};

/// linear: inputs [..., C_i], taken as concatenated, by weight [O, sum C_i] gives [..., O].
template <class B>
concept LinearFamily = requires(std::span<const TensorOf<B>> inputs, const TensorOf<B>& weight,
                                const Epilogue<TensorOf<B>>& epilogue) {
  { B::linear(inputs, weight, epilogue) } -> std::same_as<TensorOf<B>>;
};

/// conv2d: weight [O, I, k, k]; depthwise_conv2d: weight [C, 1, k, k]. Padding is with zeros.
template <class B>
concept ConvolutionFamily = requires(const TensorOf<B>& x, const Window& window,
                                     const Epilogue<TensorOf<B>>& epilogue) {
  { B::conv2d(x, x, window, epilogue) } -> std::same_as<TensorOf<B>>;
  { B::depthwise_conv2d(x, x, window, epilogue) } -> std::same_as<TensorOf<B>>;
};

/// layer_norm(x, weight, bias, eps) over the last axis; batch_norm_affine(weight, bias, mean, variance, eps)
/// gives the scale and shift [C] that normalising with running statistics amounts to; scale_shift applies
/// such a pair.
template <class B>
concept NormFamily = requires(const TensorOf<B>& x, float eps) {
  { B::layer_norm(x, x, x, eps) } -> std::same_as<TensorOf<B>>;
  { B::batch_norm_affine(x, x, x, x, eps).scale } -> std::convertible_to<TensorOf<B>>;
  { B::batch_norm_affine(x, x, x, x, eps).shift } -> std::convertible_to<TensorOf<B>>;
  { B::scale_shift(x, x, x) } -> std::same_as<TensorOf<B>>;
};

/// Elementwise functions, concatenation of channels, softmax over the last axis. select_channels(x [..., C],
/// first, count): y[..., c] = x[..., first + c] for c < count, and 0 where x has no such channel: a slice, a
/// padding, and each the other's derivative. gate(x [N, H, W, C], spatial, channel [N, 1, 1, C], scale):
/// sigmoid(scale * sum_c x * spatial) * x * channel, attention to pixels and to channels at once
/// (AsymFormer).
template <class B>
concept PointwiseFamily = requires(const TensorOf<B>& x, std::span<const TensorOf<B>> inputs,
                                   std::int64_t channel, Activation activation, float scale) {
  { B::activate(x, activation) } -> std::same_as<TensorOf<B>>;
  { B::add(x, x) } -> std::same_as<TensorOf<B>>;
  { B::multiply(x, x) } -> std::same_as<TensorOf<B>>;
  { B::concat(inputs) } -> std::same_as<TensorOf<B>>;
  { B::select_channels(x, channel, channel) } -> std::same_as<TensorOf<B>>;
  { B::softmax(x) } -> std::same_as<TensorOf<B>>;
  { B::gate(x, x, x, scale) } -> std::same_as<TensorOf<B>>;
};

/// adaptive_avg_pool(inputs, height, width): inputs [N, H, W, C_i], taken as concatenated.
/// resize_bilinear(x, height, width, align_corners). resize_argmax(logits [N, h, w, K], height, width):
/// bilinear (align_corners false) and argmax over K in one pass, to class indices [N, height, width] of one
/// byte.
template <class B>
concept ResampleFamily = requires(const TensorOf<B>& x, std::span<const TensorOf<B>> inputs,
                                  std::int64_t extent, std::span<std::uint8_t> out,
                                  const typename B::Labels& labels) {
  { B::adaptive_avg_pool(inputs, extent, extent) } -> std::same_as<TensorOf<B>>;
  { B::resize_bilinear(x, extent, extent, false) } -> std::same_as<TensorOf<B>>;
  { B::resize_argmax(x, extent, extent) } -> std::same_as<typename B::Labels>;
  B::labels_to_host(labels, out);
};

/// attention(q [N, Tq, C], kv [N, Tk, 2C], num_heads, scale): softmax(scale * q k^T) v; the score matrix is
/// never held. rotary(x [N, H, W, C], angle [C / num_heads], num_heads, scale): neighbouring channels (even,
/// odd) of each head turned by (h * W + w) * angle, the product rounded to float32, then scaled.
/// geometry_attention(q, k, v [N, H, W, C], prior, num_heads, kind): k is already scaled and q, k rotated.
template <class B>
concept AttentionFamily = requires(const TensorOf<B>& x, const GeometryPrior<TensorOf<B>>& prior,
                                   int num_heads, float scale, GeometryAttention kind) {
  { B::attention(x, x, num_heads, scale) } -> std::same_as<TensorOf<B>>;
  { B::rotary(x, x, num_heads, scale) } -> std::same_as<TensorOf<B>>;
  { B::geometry_attention(x, x, x, prior, num_heads, kind) } -> std::same_as<TensorOf<B>>;
};

/// nmf(x [N, T, D], bases [N or 1, D, R], steps, inv_t): the matrix decomposition of the Hamburger (Geng et
/// al., ICLR 2021, algorithm 2): multiplicative updates of coefficients and bases, one last update of the
/// coefficients, and their product [N, T, D].
template <class B>
concept FactorizationFamily = requires(const TensorOf<B>& x, int steps, float inv_t) {
  { B::nmf(x, x, steps, inv_t) } -> std::same_as<TensorOf<B>>;
};

template <class B>
concept Backend = StorageFamily<B> && LinearFamily<B> && ConvolutionFamily<B> && NormFamily<B> &&
    PointwiseFamily<B> && ResampleFamily<B> && AttentionFamily<B> && FactorizationFamily<B>;

/// The scale and shift of a normalisation with fixed statistics. Shapes: [C] each.
template <class Tensor>
struct Affine {
  Tensor scale{};
  Tensor shift{};
};

}  // namespace dformer
