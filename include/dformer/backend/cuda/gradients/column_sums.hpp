#pragma once

#include <cstdint>

#include <dformer/backend/cuda/kernels/gradients/column_sums.hpp>
#include <dformer/backend/cuda/tensor.hpp>

namespace dformer::cuda {

/// Memory for `sums` sums of each slice and channel. It may go once the kernels that use it are started: what
/// gets it next is started behind them.
class PartialSumsMemory {
 public:
  PartialSumsMemory(const Device& device, std::int64_t slices, int sums, std::int64_t channels)
      : memory_(device, Shape{slices * sums * channels, std::int64_t{sizeof(double)}}),
        slices_(slices),
        channels_(channels) {}

  PartialSums sums() { return {static_cast<double*>(memory_.memory()), slices_, channels_}; }

 private:
  Tensor<std::uint8_t> memory_;
  std::int64_t slices_;
  std::int64_t channels_;
};

}  // namespace dformer::cuda
