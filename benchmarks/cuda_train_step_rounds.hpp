#pragma once

#include <algorithm>
#include <chrono>
#include <vector>

#include "cuda_train_step.hpp"
#include "random_batch.hpp"
#include <dformer/losses/cross_entropy.hpp>
#include <dformer/models/variants.hpp>
#include <dformer/nn/initialize.hpp>
#include <dformer/train/trainer.hpp>

namespace dformer::benchmarks {

template <class Network>
TrainStepTimes time_train_steps(const TrainStepOptions& options) {
  using B = typename Network::Backend;
  constexpr int rounds = 5, warm_up = 3;
  const cuda::Device device({.master_weights = true, .allow_tf32 = options.tf32});
  Network network;
  initialize(network, 1, device);
  Trainer trainer(network, CrossEntropy<typename B::Inner>{},
                  Optimizer<B>(AdamW{}, group_parameters(parameters(network), ParameterPolicy::full)),
                  [](std::int64_t) { return 6e-5; }, {.checkpoint_blocks = options.checkpoint_blocks});
  const TrainBatch batch = random_batch(options.batch);

  TrainStepTimes times;
  for (int step = 0; step < warm_up; ++step) trainer.step(batch);
  std::vector<double> means;
  for (int round = 0; round < rounds; ++round) {
    device.synchronize();
    const auto start = std::chrono::steady_clock::now();
    for (int step = 0; step < options.steps; ++step) times.loss = trainer.step(batch).loss;
    device.synchronize();
    const std::chrono::duration<double, std::milli> taken = std::chrono::steady_clock::now() - start;
    means.push_back(taken.count() / options.steps);
  }
  std::sort(means.begin(), means.end());
  times.median_ms = means[means.size() / 2];
  times.least_ms = means.front();
  times.peak_bytes = device.memory().use().peak;
  return times;
}

}  // namespace dformer::benchmarks
