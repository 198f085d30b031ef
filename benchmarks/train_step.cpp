// Times training steps (forward, backward, AdamW) of DFormer_Small on random input, as peers/train_step.py
// does in PyTorch, and prints the same line of JSON. usage: benchmark_train_step [BATCH [THREADS [STEPS
// [blocks]]]]; with `blocks` only the inputs of blocks are kept for backward.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <vector>

#include <sys/resource.h>

#include "random_batch.hpp"
#include <dformer/models/variants.hpp>
#include <dformer/train.hpp>

namespace {

using namespace dformer;

template <class B>
void measure(int count, int threads, int steps) {
  const cpu::Device device({.threads = threads});
  DFormer_Small<B> network;
  initialize(network, 1, device);
  Trainer trainer(network, CrossEntropy<Cpu<>>{},
                  Optimizer<B>(AdamW{}, group_parameters(parameters(network), ParameterPolicy::full)),
                  [](std::int64_t) { return 6e-5; });
  const TrainBatch batch = benchmarks::random_batch(count);
  std::vector<double> times;
  for (int step = 0; step < steps + 2; ++step) {
    const auto start = std::chrono::steady_clock::now();
    trainer.step(batch);
    const std::chrono::duration<double, std::milli> taken = std::chrono::steady_clock::now() - start;
    if (step >= 2) times.push_back(taken.count());
  }
  std::sort(times.begin(), times.end());
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  std::printf("{\"median_ms\": %.0f, \"least_ms\": %.0f, \"peak_mib\": %ld}\n", times[times.size() / 2],
              times.front(), usage.ru_maxrss / 1024);
}

}  // namespace

int main(int argc, char** argv) {
  const auto number = [&](int i, int otherwise) { return argc > i ? std::atoi(argv[i]) : otherwise; };
  const int batch = number(1, 2), threads = number(2, 2), steps = number(3, 5);
  if (argc > 4 && std::string_view(argv[4]) == "blocks") {
    measure<Autodiff<Cpu<>, CheckpointedTraining>>(batch, threads, steps);
  } else {
    measure<Autodiff<Cpu<>>>(batch, threads, steps);
  }
}
