#pragma once

#include <algorithm>
#include <cstdint>
#include <numeric>

namespace dformer::cpu {

/// Rows of `channels` elements, `group` of them read as one of `width`, which every vector divides: so counts
/// of channels that no vector divides cost nothing, and a value for each channel is repeated `group` times. A
/// task is such a group; the last one may be short.
struct GroupedRows {
  static constexpr std::int64_t widest_vector = 16;

  std::int64_t channels;
  std::int64_t rows;
  std::int64_t group = widest_vector / std::gcd(channels, widest_vector);
  std::int64_t width = group * channels;

  std::int64_t tasks() const { return (rows + group - 1) / group; }
  /// Elements of task `task`.
  std::int64_t elements(std::int64_t task) const { return std::min(group, rows - task * group) * channels; }
};

/// Into how many slices sums over `tasks` tasks of `width` elements are cut: by the shape alone, so that what
/// is added to what does not depend on the number of threads.
inline std::int64_t slices_of(std::int64_t tasks, std::int64_t width) {
  constexpr std::int64_t least_elements = 16384;  // more work than handing it to a thread
  constexpr std::int64_t least_tasks = 8;         // a slice's own sums are few beside what it reads
  constexpr std::int64_t most = 64;
  return std::clamp(std::min(tasks * width / least_elements, tasks / least_tasks), std::int64_t{1}, most);
}

}  // namespace dformer::cpu
