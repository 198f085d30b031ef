#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include <dformer/io/tensor_record.hpp>

namespace dformer {

/// What the numbers of a tensor are like. Bounds are those of the finite ones.
struct TensorStatistics {
  std::int64_t count = 0;
  std::int64_t nan = 0;
  std::int64_t infinite = 0;
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();

  bool finite() const { return nan == 0 && infinite == 0; }
  /// Whether there are numbers and all of them are this one.
  bool all_are(double number) const { return count > 0 && finite() && low == number && high == number; }
  bool all_equal() const { return count > 1 && finite() && low == high; }
  /// The largest absolute value; 0 where no number is finite.
  double magnitude() const { return low > high ? 0 : std::max(std::abs(low), std::abs(high)); }
};

inline TensorStatistics statistics_of(const TensorRecord& tensor) {
  TensorStatistics result;
  result.count = tensor.numel();
  detail::for_each_element(tensor, [&](auto element) {
    const auto value = static_cast<double>(element);
    if (std::isfinite(value)) {
      result.low = std::min(result.low, value);
      result.high = std::max(result.high, value);
    } else {
      (std::isnan(value) ? result.nan : result.infinite) += 1;
    }
  });
  return result;
}

}  // namespace dformer
