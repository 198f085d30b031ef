#pragma once

#include <algorithm>
#include <cmath>

namespace dformer::parity {

/// How far values are from recorded ones. Infinities of one sign are equal; what is no number differs from
/// everything.
struct Difference {
  double max_abs = 0;  ///< the largest difference; HUGE_VAL where one is no number
  double largest = 0;  ///< of the recorded values that are finite, by magnitude

  void add(double here, double there) {
    const double distance = here == there ? 0 : std::abs(here - there);
    max_abs = std::isnan(distance) ? HUGE_VAL : std::max(max_abs, distance);
    if (std::isfinite(there)) largest = std::max(largest, std::abs(there));
  }
  /// The largest difference over the largest recorded value.
  double max_rel() const { return largest > 0 ? max_abs / largest : max_abs; }
};

}  // namespace dformer::parity
