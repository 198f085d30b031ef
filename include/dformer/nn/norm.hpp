#pragma once

#include <initializer_list>
#include <span>
#include <utility>

#include <dformer/backend/concept.hpp>
#include <dformer/nn/parameter.hpp>

namespace dformer {

/// Normalises the last axis to mean 0 and variance 1 (biased), then scales and shifts (Ba et al., 2016).
/// Shapes: x [..., C] -> the same. Parameters: weight [C], bias [C].
template <class B, int Channels>
struct LayerNorm {
  using Backend = B;
  using Tensor = typename B::Tensor;

  Parameter<B> weight{Shape{Channels}};
  Parameter<B> bias{Shape{Channels}};
  float eps = 1e-6f;

  Tensor operator()(const Tensor& x) const { return B::layer_norm(x, weight.value(), bias.value(), eps); }

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& visitor) {
    visitor("weight", self.weight);
    visitor("bias", self.bias);
  }
};

/// Batch normalisation (Ioffe and Szegedy, 2015): where networks train with the statistics of the batch,
/// which also move the running ones, otherwise with those. Shapes: x [N, H, W, C] -> the same. Parameters:
/// weight, bias [C]; buffers: running_mean, running_var [C]; counter: num_batches_tracked.
template <class B, int Channels>
struct BatchNorm2d {
  using Backend = B;
  using Tensor = typename B::Tensor;

  Parameter<B> weight{Shape{Channels}};
  Parameter<B> bias{Shape{Channels}};
  Parameter<B> running_mean = make_buffer<B>(Shape{Channels});
  Parameter<B> running_var = make_buffer<B>(Shape{Channels});
  Parameter<B> num_batches_tracked{Shape{}, WeightLayout::plain, ParameterKind::counter};
  float eps = 1e-5f;
  float momentum = 0.1f;  ///< of the running statistics: the share of the new

  /// The scale and shift that the running statistics amount to, for the epilogue of the layer before it.
  Affine<Tensor> affine() const {
    return B::batch_norm_affine(weight.value(), bias.value(), running_mean.value(), running_var.value(), eps);
  }

  Tensor operator()(const Tensor& x, const Epilogue<Tensor>& epilogue = {}) const requires(B::training) {
    if (!B::is_repeated()) num_batches_tracked.increment();
    return B::batch_norm(x, weight.value(), bias.value(), running_mean.value(), running_var.value(), eps,
                         momentum, epilogue);
  }
  Tensor operator()(const Tensor& x) const requires(!B::training) {
    const Affine<Tensor> norm = affine();
    return B::scale_shift(x, norm.scale, norm.shift);
  }

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& visitor) {
    visitor("weight", self.weight);
    visitor("bias", self.bias);
    visitor("running_mean", self.running_mean);
    visitor("running_var", self.running_var);
    visitor("num_batches_tracked", self.num_batches_tracked);
  }
};

/// epilogue(norm(conv(inputs))). With running statistics in one pass: the normalisation is applied to the
/// convolution's sums, and a bias of the convolution goes through it. A 1x1 convolution takes several inputs
/// as concatenated.
template <class Conv, class Norm>
typename Conv::Tensor conv_norm(const Conv& conv, const Norm& norm,
                                std::span<const typename Conv::Tensor> inputs,
                                Epilogue<typename Conv::Tensor> epilogue = {}) {
  if constexpr (Conv::Backend::training) return norm(conv.with_bias(inputs), epilogue);
  const auto affine = norm.affine();
  epilogue.scale = affine.scale;
  if constexpr (Conv::has_bias) {
    epilogue.shift = Conv::Backend::scale_shift(conv.bias.value(), affine.scale, affine.shift);
  } else {
    epilogue.shift = affine.shift;
  }
  return conv.without_bias(inputs, epilogue);
}
template <class Conv, class Norm>
typename Conv::Tensor conv_norm(const Conv& conv, const Norm& norm, const typename Conv::Tensor& x,
                                Epilogue<typename Conv::Tensor> epilogue = {}) {
  return conv_norm(conv, norm, std::span<const typename Conv::Tensor>(&x, 1), std::move(epilogue));
}

}  // namespace dformer
