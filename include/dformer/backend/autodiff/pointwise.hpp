#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <dformer/backend/autodiff/tensor.hpp>
#include <dformer/backend/gradients.hpp>

namespace dformer::autodiff {

/// Reading the pieces of a gradient that belong to inputs taken as concatenated.
template <class B>
void give_pieces(Parents<B>& to, std::size_t count, std::span<const std::int64_t> channels,
                 const typename B::Tensor& gradient) {
  if (count == 1) return to.give(0, gradient);
  std::vector<typename B::Tensor> pieces = Gradients<B>::split(gradient, channels);
  for (std::size_t i = 0; i < count; ++i) to.give(i, std::move(pieces[i]));
}

template <class B>
std::vector<std::int64_t> channels_of(std::span<const Tensor<B>> inputs) {
  std::vector<std::int64_t> channels;
  for (const Tensor<B>& input : inputs) channels.push_back(input.shape().back());
  return channels;
}

/// Whether a step needs a gradient for any of its first `count` operands.
template <class B>
bool needs_any(const Parents<B>& to, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    if (to.needs(i)) return true;
  }
  return false;
}

template <class B>
struct PointwiseOps {
  using T = Tensor<B>;
  using Value = typename B::Tensor;
  using G = Gradients<B>;

  static T activate(const T& x, Activation activation) {
    if (activation == Activation::none) return x;
    const Value y = B::activate(x.value(), activation);
    const Value saved = activation == Activation::gelu ? x.value() : y;
    return record<B>(y, {&x}, [saved, activation](const Value& dy, Parents<B>& to) {
      to.give(0, G::activation(saved, activation, dy));
    });
  }

  static T add(const T& a, const T& b) {
    return record<B>(B::add(a.value(), b.value()), {&a, &b}, [](const Value& dy, Parents<B>& to) {
      to.give(0, dy);
      to.give(1, dy);
    });
  }

  static T multiply(const T& a, const T& b) {
    return record<B>(B::multiply(a.value(), b.value()), {&a, &b},
                     [a = a.value(), b = b.value()](const Value& dy, Parents<B>& to) {
                       to.give(0, [&] { return B::multiply(dy, b); });
                       to.give(1, [&] { return B::multiply(dy, a); });
                     });
  }

  static T concat(std::span<const T> inputs) {
    const std::vector<Value> values = values_of(inputs);
    return record<B>(B::concat(values), inputs, {},
                     [channels = channels_of(inputs)](const Value& dy, Parents<B>& to) {
                       give_pieces(to, channels.size(), channels, dy);
                     });
  }

  static T select_channels(const T& x, std::int64_t first, std::int64_t count) {
    return record<B>(B::select_channels(x.value(), first, count), {&x},
                     [first, channels = x.shape().back()](const Value& dy, Parents<B>& to) {
                       to.give(0, [&] { return B::select_channels(dy, -first, channels); });
                     });
  }

  static T softmax(const T& x) {
    const Value y = B::softmax(x.value());
    return record<B>(y, {&x}, [y](const Value& dy, Parents<B>& to) { to.give(0, G::softmax(y, dy)); });
  }

  /// x [..., C] * scale [C].
  static T scale_channels(const T& x, const T& scale) {
    return record<B>(G::scale_channels(x.value(), scale.value()), {&x, &scale},
                     [x = x.value(), scale = scale.value()](const Value& dy, Parents<B>& to) {
                       to.give(0, [&] { return G::scale_channels(dy, scale); });
                       to.give(1, [&] { return B::reshape(G::channel_products(dy, x), scale.shape()); });
                     });
  }

  /// x [..., C] * scale [C] + shift [C].
  static T scale_shift(const T& x, const T& scale, const T& shift) {
    if (!shift) return scale_channels(x, scale);
    return record<B>(B::scale_shift(x.value(), scale.value(), shift.value()), {&x, &scale, &shift},
                     [x = x.value(), scale = scale.value()](const Value& dy, Parents<B>& to) {
                       to.give(0, [&] { return G::scale_channels(dy, scale); });
                       to.give(1, [&] { return B::reshape(G::channel_products(dy, x), scale.shape()); });
                       to.give(2, [&] { return B::reshape(G::channel_sums(dy), scale.shape()); });
                     });
  }
};

}  // namespace dformer::autodiff
