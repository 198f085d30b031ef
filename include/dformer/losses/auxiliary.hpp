#pragma once

#include <dformer/backend/gradients.hpp>
#include <dformer/losses/loss.hpp>

namespace dformer {

/// Value and gradients of a loss on two maps of logits.
template <class Tensor>
struct AuxiliaryLossValue {
  double value = 0;      ///< main + weight * auxiliary
  double main = 0;       ///< of the decode head alone
  double auxiliary = 0;  ///< of the auxiliary head alone, not yet weighted
  Tensor main_gradient{};
  Tensor auxiliary_gradient{};  ///< weighted
};

/// The loss of a network that has an auxiliary head on one of its earlier feature maps (deep supervision; Lee
/// et al., AISTATS 2015; Zhao et al., CVPR 2017): that of the decode head and a share of that of the other.
/// The two maps may differ in size. 0.4 is what the official code has for its heads that need one.
template <Loss Main, Loss Auxiliary = Main>
struct WithAuxiliary {
  using Backend = typename Main::Backend;
  using Tensor = typename Main::Tensor;

  Main main{};
  Auxiliary auxiliary{};
  double weight = 0.4;

  AuxiliaryLossValue<Tensor> operator()(const Tensor& logits, const Tensor& auxiliary_logits,
                                        const LabelMap& labels) const {
    const LossValue<Tensor> first = main(logits, labels);
    const LossValue<Tensor> second = auxiliary(auxiliary_logits, labels);
    return {first.value + weight * second.value, first.value, second.value, first.gradient,
            Gradients<Backend>::scaled(second.gradient, static_cast<float>(weight))};
  }
};

}  // namespace dformer
