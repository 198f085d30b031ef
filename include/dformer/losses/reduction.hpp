#pragma once

#include <cstdint>

namespace dformer {

/// What the sum over pixels is divided by.
struct Reduction {
  enum class By : std::uint8_t { valid, all, weights, number };
  By by = By::valid;
  double number = 1;
};

/// The pixels that are not ignored.
inline constexpr Reduction mean_over_valid{Reduction::By::valid};
/// All pixels; ignored ones add nothing and still count.
inline constexpr Reduction mean_over_all{Reduction::By::all};
/// The sum of the class weights of the pixels that are not ignored, as PyTorch's cross_entropy.
inline constexpr Reduction mean_over_weights{Reduction::By::weights};
/// Nothing.
inline constexpr Reduction sum_over_pixels{Reduction::By::number, 1};
/// A given number.
constexpr Reduction divided_by(double number) {
  return {Reduction::By::number, number};
}

/// How many terms a sum over pixels has.
struct TermCount {
  double all = 0;
  double valid = 0;
  double weights = 0;
};

/// What the sum is multiplied by; 0 where there is nothing to divide by.
constexpr double factor_of(const Reduction& reduction, const TermCount& count) {
  double divisor = reduction.number;
  if (reduction.by == Reduction::By::valid) divisor = count.valid;
  if (reduction.by == Reduction::By::all) divisor = count.all;
  if (reduction.by == Reduction::By::weights) divisor = count.weights;
  return divisor == 0 ? 0.0 : 1.0 / divisor;
}

}  // namespace dformer
