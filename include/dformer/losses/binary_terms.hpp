#pragma once

#include <cmath>

/// A loss of one score against one target of 0 or 1, and its derivative with respect to the score.
namespace dformer::detail {

struct TermAndSlope {
  double loss;
  double slope;
};

inline double sigmoid(double x) {
  if (x >= 0) return 1 / (1 + std::exp(-x));
  const double e = std::exp(x);
  return e / (1 + e);
}
/// log(1 + exp(x)), which for large x is x.
inline double softplus(double x) {
  return std::fmax(x, 0.0) + std::log1p(std::exp(-std::fabs(x)));
}

/// Cross-entropy of sigmoid(x); the target may lie between 0 and 1. Positive parts count `positive_weight`
/// times.
inline TermAndSlope binary_cross_entropy_term(double x, double target, double positive_weight = 1) {
  const double positive = positive_weight * target;
  const double negative = 1 - target;
  const double p = sigmoid(x);
  return {positive * softplus(-x) + negative * softplus(x), negative * p - positive * (1 - p)};
}

/// The focal loss of sigmoid(x) (Lin et al., ICCV 2017, equation 5): the cross-entropy times alpha, or 1 -
/// alpha for a negative, and the probability of being wrong to the power gamma.
inline TermAndSlope focal_term(double x, bool positive, double gamma, double alpha) {
  const double sign = positive ? 1 : -1;
  const double balance = positive ? alpha : 1 - alpha;
  const double wrong = sigmoid(-sign * x);
  const double cross_entropy = softplus(-sign * x);
  const double focus = gamma == 2 ? wrong * wrong : std::pow(wrong, gamma);
  // The slope of `wrong` is -sign * wrong * (1 - wrong), that of the cross-entropy -sign * wrong.
  return {balance * focus * cross_entropy,
          -sign * balance * focus * (gamma * (1 - wrong) * cross_entropy + wrong)};
}

}  // namespace dformer::detail
