#pragma once

#include <tuple>
#include <utility>

#include <dformer/backend/gradients.hpp>
#include <dformer/losses/loss.hpp>

namespace dformer {

/// A loss and what it counts for.
template <Loss L>
struct Term {
  double weight = 1;
  L loss{};
};
template <Loss L>
Term(double, L) -> Term<L>;

/// The sum of weighted losses on the same logits, itself a loss:
///
///   const WeightedSum loss{Term{1.0, CrossEntropy<B>{}}, Term{3.0, Dice<B>{.smooth = 0.5f}}};
template <Loss First, Loss... Rest>
struct WeightedSum {
  using Backend = typename First::Backend;
  using Tensor = typename First::Tensor;

  std::tuple<Term<First>, Term<Rest>...> terms{};

  WeightedSum() = default;
  explicit WeightedSum(Term<First> first, Term<Rest>... rest) : terms(std::move(first), std::move(rest)...) {}

  LossValue<Tensor> operator()(const Tensor& logits, const LabelMap& labels,
                               double gradient_scale = 1.0) const {
    return std::apply(
        [&](const Term<First>& first, const Term<Rest>&... rest) {
          LossValue<Tensor> sum = weighted(first, logits, labels, gradient_scale);
          (add(sum, weighted(rest, logits, labels, gradient_scale)), ...);
          return sum;
        },
        terms);
  }

 private:
  template <Loss L>
  static LossValue<Tensor> weighted(const Term<L>& term, const Tensor& logits, const LabelMap& labels,
                                    double gradient_scale) {
    LossValue<Tensor> result =
        loss_with_scaled_gradient(term.loss, logits, labels, term.weight * gradient_scale);
    result.value *= term.weight;
    return result;
  }
  static void add(LossValue<Tensor>& sum, const LossValue<Tensor>& term) {
    sum.value += term.value;
    Gradients<Backend>::add_to(sum.gradient, term.gradient);
  }
};

}  // namespace dformer
