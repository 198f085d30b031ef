#pragma once

#include <cstdint>

#include <dformer/backend/cpu/kernels/gradients/grouped_rows.hpp>

namespace dformer::cpu {

/// Sums over rows, in double, one or two for each channel: what is summed the kernel says. A task is a slice
/// of the rows, with sums of its own.
template <class T>
struct ChannelSumsArgs {
  static constexpr int sums_per_channel = 2;

  const T* a;
  const T* b;           ///< null where the kernel takes one operand
  const double* shift;  ///< [width]
  double* sums;         ///< [slices, 2, width]
  GroupedRows rows;
  std::int64_t slices;
};

}  // namespace dformer::cpu
