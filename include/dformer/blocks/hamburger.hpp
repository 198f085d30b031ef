#pragma once

#include <cstdint>
#include <random>
#include <span>
#include <string>
#include <vector>

#include <dformer/core/fill.hpp>
#include <dformer/nn/conv2d.hpp>
#include <dformer/nn/norm.hpp>
#include <dformer/nn/random_bases.hpp>

namespace dformer {

/// The Hamburger (Geng et al., ICLR 2021): relu(x + ham_out(nmf(relu(ham_in(x))))), with a non-negative
/// matrix factorization over all pixels between two 1x1 convolutions.
///
/// The factorization starts from random bases. The official code draws them anew at every call, so its
/// predictions differ from run to run; here they are decided once, the same for every image, unless asked
/// otherwise: `draw_bases_at_each_call` gives the official behaviour, and `bases` may be set to any tensor.
///
/// Shapes: x [N, H, W, Channels] -> the same. Parameters: ham_in.conv, ham_out.conv, ham_out.bn; constant,
/// not in checkpoints: bases [1, Channels, Rank] or [N, Channels, Rank].
template <class B, int Channels, int Rank>
struct Hamburger {
  using Backend = B;
  using Tensor = typename B::Tensor;
  static constexpr int steps = B::training ? 6 : 7;  ///< as the official code has them
  static constexpr float inv_t = 1.0f;

  Conv2d<B, Channels, Channels> ham_in;
  Conv2d<B, Channels, Channels, Window{}, Bias::without> ham_out;
  BatchNorm2d<B, Channels> ham_out_norm;
  Parameter<B> bases = make_constant<B>(Shape{1, Channels, Rank}, &default_bases);
  bool draw_bases_at_each_call = false;

  Tensor operator()(const Tensor& x) const {
    const std::int64_t n = x.shape()[0];
    const Tensor lower = ham_in(x, {.activation = Activation::relu});
    const Tensor pixels = B::reshape(lower, {n, x.shape()[1] * x.shape()[2], Channels});
    const Tensor low_rank = draw_bases_at_each_call ? B::nmf(pixels, drawn_bases(x, n), steps, inv_t)
                                                    : B::nmf(pixels, bases.value(), steps, inv_t);
    return conv_norm(ham_out, ham_out_norm, B::reshape(low_rank, x.shape()),
                     {.residual = x, .final_activation = Activation::relu});
  }

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& visitor) {
    visitor("ham_in.conv", self.ham_in);
    visitor("ham_out.conv", self.ham_out);
    visitor("ham_out.bn", self.ham_out_norm);
    visitor("bases", self.bases);
  }

 private:
  static void default_bases(std::span<float> values) {
    random_bases(NamedStream("ham.bases"), Channels, Rank, values);
  }

  static Tensor drawn_bases(const Tensor& x, std::int64_t n) {
    thread_local std::random_device entropy;
    thread_local std::vector<float> values;
    values.resize(static_cast<std::size_t>(n) * Channels * Rank);
    const std::uint64_t seed = std::uint64_t{entropy()} << 32 | entropy();
    random_bases(NamedStream("ham.bases", std::to_string(seed)), Channels, Rank, values);
    return B::from_host(x.device(), {n, Channels, Rank}, values);
  }
};

}  // namespace dformer
