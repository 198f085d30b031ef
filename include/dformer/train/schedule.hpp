#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <string>
#include <vector>

#include <dformer/core/error.hpp>

/// Learning-rate schedules. Each is a curve `at(t)` over iterations, counted from 0, and an order in which
/// the training loop reads it. `lr(step)` is the rate with which a step updates the weights; it depends on
/// the step alone, so a resumed run needs no state of the schedule.
namespace dformer {

/// When the rate is set, which decides what the first step sees of the curve.
enum class LrUpdate {
  before_step,  ///< as textbooks and PyTorch's schedulers have it: step k runs at `at(k)`
  after_step,   ///< as DFormer's training loop: step 0 runs at the full base rate, step k at `at(k - 1)`
};

template <class S>
concept LearningRateSchedule = requires(const S& schedule, std::int64_t step) {
  { schedule.lr(step) } -> std::same_as<double>;
};

namespace detail {

/// The rate of `step` on a curve. Throws: ArgumentError for a negative step.
template <class Curve>
double rate_of_step(const Curve& curve, std::int64_t step) {
  if (step < 0) throw_argument_error("[lr] steps count from 0, got " + std::to_string(step));
  if (curve.update == LrUpdate::before_step) return curve.at(step);
  return step == 0 ? curve.base_lr : curve.at(step - 1);
}

}  // namespace detail

/// DFormer's own: rises from 0 in `warmup_steps`, then falls as (1 - t / total_steps)^power. The fall does
/// not know of the warm-up: it starts at t = warmup_steps, a little below base_lr, and not at 0. From
/// total_steps on the rate is 0. With the official order of updates the very first step runs at base_lr, and
/// the second at 0. Recipes: 6e-5 and 500 epochs for NYUDepthv2, 8e-5 and 300 for SUNRGBD, 10 of warm-up.
struct WarmUpPolyLR {
  double base_lr = 6e-5;
  std::int64_t total_steps = 1;
  std::int64_t warmup_steps = 0;
  double power = 0.9;
  LrUpdate update = LrUpdate::after_step;

  double at(std::int64_t t) const {
    const auto now = static_cast<double>(t);
    if (t < warmup_steps) return base_lr * (now / static_cast<double>(warmup_steps));
    if (t >= total_steps) return 0.0;
    return base_lr * std::pow(1.0 - now / static_cast<double>(total_steps), power);
  }
  double lr(std::int64_t step) const { return detail::rate_of_step(*this, step); }
};

/// The same rate always.
struct ConstantLR {
  double base_lr = 6e-5;

  double lr(std::int64_t) const { return base_lr; }
};

/// Half a cosine from base_lr down to minimum_lr, without restarts (SGDR; Loshchilov and Hutter, ICLR 2017),
/// after a linear rise that reaches base_lr at t = warmup_steps.
struct CosineLR {
  double base_lr = 6e-5;
  std::int64_t total_steps = 1;
  std::int64_t warmup_steps = 0;
  double minimum_lr = 0.0;
  LrUpdate update = LrUpdate::before_step;

  double at(std::int64_t t) const {
    if (t < warmup_steps) return base_lr * static_cast<double>(t) / static_cast<double>(warmup_steps);
    if (t >= total_steps) return minimum_lr;
    constexpr double pi = 3.14159265358979323846;
    const double done =
        static_cast<double>(t - warmup_steps) / static_cast<double>(total_steps - warmup_steps);
    return minimum_lr + 0.5 * (base_lr - minimum_lr) * (1.0 + std::cos(pi * done));
  }
  double lr(std::int64_t step) const { return detail::rate_of_step(*this, step); }
};

/// base_lr, multiplied by `factor` from each of the milestones on.
struct StepLR {
  double base_lr = 6e-5;
  std::vector<std::int64_t> milestones{};  ///< iterations, in any order
  double factor = 0.1;
  LrUpdate update = LrUpdate::before_step;

  double at(std::int64_t t) const {
    const auto passed = std::count_if(milestones.begin(), milestones.end(),
                                      [t](std::int64_t milestone) { return t >= milestone; });
    return base_lr * std::pow(factor, static_cast<double>(passed));
  }
  double lr(std::int64_t step) const { return detail::rate_of_step(*this, step); }
};

static_assert(LearningRateSchedule<WarmUpPolyLR> && LearningRateSchedule<ConstantLR> &&
              LearningRateSchedule<CosineLR> && LearningRateSchedule<StepLR>);

}  // namespace dformer
