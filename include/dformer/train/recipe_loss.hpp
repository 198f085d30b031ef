#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <dformer/losses/cross_entropy.hpp>
#include <dformer/losses/dice.hpp>
#include <dformer/losses/focal.hpp>
#include <dformer/losses/lovasz_softmax.hpp>
#include <dformer/losses/ohem_cross_entropy.hpp>
#include <dformer/losses/tversky.hpp>
#include <dformer/train/recipe.hpp>

namespace dformer {

/// A weighted sum of losses that are chosen at run time; itself a loss. (`WeightedSum` is one whose terms are
/// types.)
template <class B>
class LossSum {
 public:
  using Backend = B;
  using Tensor = typename B::Tensor;

  template <Loss L>
  void add(double weight, L loss) {
    if (weight == 0.0) return;
    terms_.push_back(
        {weight, [loss = std::move(loss)](const Tensor& logits, const LabelMap& labels, double scale) {
           return loss_with_scaled_gradient(loss, logits, labels, scale);
         }});
  }
  bool empty() const { return terms_.empty(); }

  LossValue<Tensor> operator()(const Tensor& logits, const LabelMap& labels,
                               double gradient_scale = 1.0) const {
    LossValue<Tensor> sum;
    for (const auto& term : terms_) {
      LossValue<Tensor> part = term.loss(logits, labels, term.weight * gradient_scale);
      part.value *= term.weight;
      sum.value += part.value;
      if (sum.gradient) {
        Gradients<B>::add_to(sum.gradient, part.gradient);
      } else {
        sum.gradient = std::move(part.gradient);
      }
    }
    return sum;
  }

 private:
  struct Part {
    double weight;
    std::function<LossValue<Tensor>(const Tensor&, const LabelMap&, double)> loss;
  };
  std::vector<Part> terms_;
};

/// The loss of a recipe.
template <class B>
LossSum<B> loss_of(const RecipeLoss& recipe) {
  std::vector<float> weight;
  for (double each : recipe.class_weight) weight.push_back(static_cast<float>(each));
  LossSum<B> sum;
  sum.add(recipe.cross_entropy, CrossEntropy<B>{.label_smoothing = static_cast<float>(recipe.label_smoothing),
                                                .class_weight = weight});
  sum.add(recipe.ohem, OhemCrossEntropy<B>{.class_weight = weight});
  sum.add(recipe.dice, Dice<B>{.class_weight = weight});
  sum.add(recipe.focal, Focal<B>{.class_weight = weight});
  sum.add(recipe.lovasz, LovaszSoftmax<B>{.class_weight = weight});
  sum.add(recipe.tversky, Tversky<B>{.class_weight = weight});
  return sum;
}

}  // namespace dformer
