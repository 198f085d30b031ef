#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <dformer/backend/autodiff/autodiff.hpp>
#include <dformer/nn/visit.hpp>
#include <dformer/train/parameter_groups.hpp>

namespace dformer {

/// Adam with decoupled weight decay (Loshchilov and Hutter, ICLR 2019), as torch.optim.AdamW.
struct AdamW {
  double beta1 = 0.9;
  double beta2 = 0.999;
  double eps = 1e-8;
  double weight_decay = 0.01;
  static constexpr std::array<std::string_view, 2> slot_names{"exp_avg", "exp_avg_sq"};
};

/// Stochastic gradient descent with momentum, as torch.optim.SGD.
struct Sgd {
  double momentum = 0.9;
  double weight_decay = 0.0;
  static constexpr std::array<std::string_view, 1> slot_names{"momentum_buffer"};
};

using OptimizerRule = std::variant<AdamW, Sgd>;

/// What an optimiser keeps of one parameter.
template <class B>
struct OptimizerSlot {
  Named<Parameter<B>> parameter;
  bool decays = true;     ///< whether the rule's weight decay applies
  std::int64_t step = 0;  ///< updates so far
  std::vector<typename B::Inner::Tensor>
      moments;  ///< in the order of the rule's slot_names; empty before the first
};

/// Moves the parameters of a network over B, a backend that records gradients, against them. Their tensors
/// are changed in place, so networks that share them see it.
template <class B>
class Optimizer {
 public:
  using Inner = typename B::Inner;
  using LeafGradients = autodiff::LeafGradients<Inner>;

  /// Throws: ArgumentError for a rule whose numbers are none of an optimiser's, and for groups without a
  /// parameter.
  Optimizer(const OptimizerRule& rule, const ParameterGroups<Parameter<B>>& groups) : rule_(rule) {
    require_valid(rule);
    for (const auto& parameter : groups.decay) add(parameter, true);
    for (const auto& parameter : groups.no_decay) add(parameter, false);
    if (slots_.empty()) throw_argument_error("[optimizer] there is no parameter to train");
  }

  const OptimizerRule& rule() const { return rule_; }
  /// Those that decay, then the others: the order in which torch numbers them in a training state.
  std::span<const OptimizerSlot<B>> slots() const { return slots_; }
  std::span<OptimizerSlot<B>> slots() { return slots_; }

  /// The L2 norm of all gradients together; infinite or NaN where one of them is.
  double gradient_norm(const LeafGradients& gradients) const {
    std::vector<Tensor> all;
    for (const auto& slot : slots_) {
      if (auto gradient = gradients.of(slot.parameter.parameter->value())) all.push_back(std::move(gradient));
    }
    return std::sqrt(Gradients<Inner>::sum_of_squares(std::span<const Tensor>(all)));
  }

  /// One update with learning rate `lr`; gradients are multiplied by `factor` first. Parameters without a
  /// gradient are left as they are.
  void step(const LeafGradients& gradients, double lr, double factor = 1.0) {
    std::visit([&](const auto& rule) { update(rule, gradients, lr, factor); }, rule_);
  }

 private:
  using Tensor = typename Inner::Tensor;

  void add(const Named<Parameter<B>>& parameter, bool decays) {
    slots_.push_back({.parameter = parameter, .decays = decays, .step = 0, .moments = {}});
  }

  void update(const AdamW& rule, const LeafGradients& gradients, double lr, double factor) {
    std::vector<AdamWUpdate<Tensor>> updates;
    for_each_trained(gradients, rule.slot_names.size(), [&](OptimizerSlot<B>& slot, Tensor value, Tensor dy) {
      ++slot.step;
      updates.push_back({std::move(value), std::move(dy), slot.moments[0], slot.moments[1],
                         AdamWStep{.lr = lr,
                                   .beta1 = rule.beta1,
                                   .beta2 = rule.beta2,
                                   .eps = rule.eps,
                                   .weight_decay = slot.decays ? rule.weight_decay : 0.0,
                                   .step = slot.step}});
    });
    Gradients<Inner>::adamw(std::span(updates), factor);
  }

  void update(const Sgd& rule, const LeafGradients& gradients, double lr, double factor) {
    std::vector<SgdUpdate<Tensor>> updates;
    for_each_trained(gradients, rule.slot_names.size(), [&](OptimizerSlot<B>& slot, Tensor value, Tensor dy) {
      updates.push_back({std::move(value), std::move(dy), slot.moments[0],
                         SgdStep{.lr = lr,
                                 .momentum = rule.momentum,
                                 .weight_decay = slot.decays ? rule.weight_decay : 0.0,
                                 .first = slot.step == 0}});
      ++slot.step;
    });
    Gradients<Inner>::sgd(std::span(updates), factor);
  }

  /// Calls f(slot, value, gradient) for each parameter that has a gradient, once it has so many moments.
  template <class F>
  void for_each_trained(const LeafGradients& gradients, std::size_t moments, const F& f) {
    for (OptimizerSlot<B>& slot : slots_) {
      auto gradient = gradients.of(slot.parameter.parameter->value());
      if (!gradient) continue;
      const Tensor value = slot.parameter.parameter->value().value();
      require_moments(slot, value, moments);
      f(slot, value, std::move(gradient));
    }
  }

  static void require_moments(OptimizerSlot<B>& slot, const Tensor& value, std::size_t count) {
    while (slot.moments.size() < count) slot.moments.push_back(Gradients<Inner>::zeros_like(value));
  }

  static void require_valid(const OptimizerRule& rule) {
    const auto share = [](double x) { return x >= 0.0 && x < 1.0; };
    bool valid = std::visit([](const auto& r) { return r.weight_decay >= 0.0; }, rule);
    if (const auto* adamw = std::get_if<AdamW>(&rule)) {
      valid = valid && share(adamw->beta1) && share(adamw->beta2) && adamw->eps > 0.0;
    } else {
      valid = valid && share(std::get<Sgd>(rule).momentum);
    }
    if (!valid) {
      throw_argument_error(
          "[optimizer] momentum and betas must be from 0 to below 1, eps positive, weight_decay 0 or more");
    }
  }

  OptimizerRule rule_;
  std::vector<OptimizerSlot<B>> slots_;
};

}  // namespace dformer
