#pragma once

#include <concepts>

#include <dformer/backend/gradients.hpp>
#include <dformer/losses/label_map.hpp>

/// What a network's class scores are trained by. A loss is a plain struct over a backend, like a layer: its
/// members are its settings, and it is called with the logits [N, h, w, K], at the size that the network
/// gives them, and the labels [N, height, width]. The logits are first resized to the labels' size (bilinear,
/// align_corners false), as the official code does; the gradient comes back at their own.
///
///   const CrossEntropy<Cpu<>> loss{.label_smoothing = 0.1f};
///   const auto [value, gradient] = loss(logits, {batch.labels, batch.count, batch.height, batch.width});
///
/// Labels equal to `ignore_index` count nowhere unless a loss says otherwise; where all of them are, the
/// value is 0 and so is the gradient. A third argument, which may be left out, multiplies the gradient alone:
/// a loss that takes it does that before anything is rounded to the backend's type. Every loss throws
/// ShapeError for logits and labels of different batches and ArgumentError for a label that is no class.
/// Losses compose as types: WeightedSum, WithAuxiliary.
namespace dformer {

template <class Tensor>
struct LossValue {
  double value = 0;
  Tensor gradient{};  ///< of the value with respect to the logits, in their shape
};

template <class L>
concept Loss = requires(const L& loss, const typename L::Tensor& logits, const LabelMap& labels) {
  typename L::Backend;
  { loss(logits, labels) } -> std::same_as<LossValue<typename L::Tensor>>;
};

/// The loss, and its gradient times `scale`.
template <Loss L>
LossValue<typename L::Tensor> loss_with_scaled_gradient(const L& loss, const typename L::Tensor& logits,
                                                        const LabelMap& labels, double scale) {
  if constexpr (requires { loss(logits, labels, scale); }) {
    return loss(logits, labels, scale);
  } else {
    auto result = loss(logits, labels);
    if (scale != 1.0) {
      result.gradient = Gradients<typename L::Backend>::scaled(result.gradient, static_cast<float>(scale));
    }
    return result;
  }
}

}  // namespace dformer
