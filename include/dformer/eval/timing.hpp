#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <vector>

namespace dformer {

/// Milliseconds of a clock that never goes back.
class Stopwatch {
 public:
  /// Since the last lap, or since it was made.
  double lap() {
    const Clock::time_point now = Clock::now();
    const double milliseconds = std::chrono::duration<double, std::milli>(now - start_).count();
    start_ = now;
    return milliseconds;
  }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point start_ = Clock::now();
};

/// What repeated measurements amount to, in their own unit. All zero for none.
struct TimeSummary {
  std::size_t count = 0;
  double mean = 0;
  double min = 0;
  double p50 = 0;
  double p90 = 0;
  double p99 = 0;
  double max = 0;
};

/// The value below which a share of the sorted values lies, interpolated between neighbours as NumPy's
/// `percentile` does. `share` 0 … 1; 0 for no values.
inline double percentile(const std::vector<double>& sorted, double share) {
  if (sorted.empty()) return 0;
  const double position = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(position);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return std::lerp(sorted[below], sorted[above], position - static_cast<double>(below));
}

inline TimeSummary summarize_times(std::vector<double> times) {
  if (times.empty()) return {};
  std::sort(times.begin(), times.end());
  double sum = 0;
  for (double time : times) sum += time;
  return {.count = times.size(),
          .mean = sum / static_cast<double>(times.size()),
          .min = times.front(),
          .p50 = percentile(times, 0.5),
          .p90 = percentile(times, 0.9),
          .p99 = percentile(times, 0.99),
          .max = times.back()};
}

}  // namespace dformer
