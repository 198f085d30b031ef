#pragma once

#include <cstdint>

#include <dformer/backend/cuda/kernels/columns.hpp>

namespace dformer::cuda {

/// What slices of the rows add up to for each channel, to be added up in a second kernel: where the first one
/// puts it and how many slices there are. One or two sums for each channel, in double.
struct PartialSums {
  double* values;  ///< [slices, sums, channels]
  std::int64_t slices;
  std::int64_t channels;
};

/// As many slices as fill a large GPU, of no less than 4 rows for each thread.
inline std::int64_t slices_of_sums(const Columns& columns) {
  return columns.slices(4, 512);
}

}  // namespace dformer::cuda
