#pragma once

#include <cstddef>

#include <dformer/backend/autodiff/autodiff.hpp>
#include <dformer/backend/cuda/gradients/gradients.hpp>

namespace dformer::benchmarks {

struct TrainStepOptions {
  int batch = 8;
  int steps = 10;  ///< of each round
  bool tf32 = false;
  bool checkpoint_blocks = false;
};

struct TrainStepTimes {
  double median_ms = 0;  ///< of a step, over rounds
  double least_ms = 0;
  double loss = 0;
  std::size_t peak_bytes = 0;  ///< that tensors held on the GPU
};

/// Trains a network over Autodiff<Cuda<…>> for rounds of steps with nothing but their start on the host's
/// clock and what a step itself waits for, after a warm-up. Instantiated in sources of their own, by scalar.
template <class Network>
TrainStepTimes time_train_steps(const TrainStepOptions& options);

}  // namespace dformer::benchmarks
