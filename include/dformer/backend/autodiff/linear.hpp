#pragma once

#include <span>

#include <dformer/backend/autodiff/epilogue.hpp>

namespace dformer::autodiff {

/// Gives a weighted operation's shift and fused residual their gradients, at operands `first` and
/// `first + 1`, and returns the gradient of its sums.
template <class B>
typename B::Tensor before_epilogue(const typename B::Tensor& dy, const typename B::Tensor& y,
                                   Activation activation, const Shape& shift, std::size_t first,
                                   Parents<B>& to) {
  to.give(first + 1, dy);
  auto sums = activation == Activation::none ? dy : Gradients<B>::activation(y, activation, dy);
  to.give(first, [&] { return B::reshape(Gradients<B>::channel_sums(sums), shift); });
  return sums;
}

template <class B, bool training>
struct LinearOps {
  using T = Tensor<B>;
  using Value = typename B::Tensor;
  using G = Gradients<B>;

  static T linear(std::span<const T> inputs, const T& weight, const Epilogue<T>& epilogue) {
    const SplitEpilogue<B> split(epilogue);
    std::vector<Value> x = values_of(inputs);
    const Value y = B::linear(x, weight.value(), split.fused);
    if (!weight.is_tracked()) x.clear();  // a frozen weight needs none of its inputs
    const T sums =
        record<B>(y, inputs, {&weight, &split.shift, &split.residual},
                  [x = std::move(x), channels = channels_of(inputs), weight = weight.value(),
                   saved = split.activation == Activation::none ? Value{} : y, activation = split.activation,
                   shift = split.shift.shape()](const Value& dy, Parents<B>& to) {
                    const std::size_t count = channels.size();
                    const Value d = before_epilogue(dy, saved, activation, shift, count + 1, to);
                    to.give(count, [&] { return G::linear_weight(x, d, weight.shape()); });
                    if (needs_any(to, count)) give_pieces(to, count, channels, G::linear_input(d, weight));
                  });
    return finish<B, training>(sums, split.rest);
  }
};

}  // namespace dformer::autodiff
