#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include <dformer/core/error.hpp>

namespace dformer {

/// What gradients are multiplied by on their way through a network in half, whose smallest number is 6e-8
/// (Micikevicius et al., "Mixed precision training", ICLR 2018). The numbers are those of
/// torch.amp.GradScaler.
struct LossScaling {
  double initial = 65536.0;
  double growth = 2.0;  ///< after so many good updates …
  std::int64_t growth_interval = 2000;
  double backoff = 0.5;  ///< after one whose gradients were not finite, and which is left out
};

/// The scale as it is, which follows from the updates so far.
struct LossScaleState {
  double scale = 1.0;
  std::int64_t good_updates = 0;  ///< since the scale was last changed
};

/// Finds the largest scale that gradients bear.
class LossScale {
 public:
  /// Throws: ArgumentError for numbers that are none of a scale's.
  explicit LossScale(const LossScaling& rule) : rule_(rule), state_{rule.initial, 0} {
    if (!(is_possible(rule.initial) && rule.growth >= 1.0 && rule.growth_interval >= 1 &&
          rule.backoff > 0.0 && rule.backoff < 1.0)) {
      throw_argument_error(
          "[loss scale] expected a positive scale of 2^100 or less, a growth of 1 or more after 1 update or "
          "more, and a "
          "backoff between 0 and 1");
    }
  }

  /// Whether a float has the scale, and its inverse.
  static bool is_possible(double scale) { return scale >= 1 / largest && scale <= largest; }

  double scale() const { return state_.scale; }
  const LossScaleState& state() const { return state_; }
  void set_state(const LossScaleState& state) { state_ = state; }

  /// Learns whether an update's gradients were finite.
  void update(bool finite) {
    if (!finite) {
      state_ = {state_.scale * rule_.backoff, 0};
    } else if (++state_.good_updates == rule_.growth_interval) {
      state_ = {std::min(state_.scale * rule_.growth, largest), 0};
    }
  }

 private:
  static constexpr double largest = 0x1p100;

  LossScaling rule_;
  LossScaleState state_;
};

}  // namespace dformer
