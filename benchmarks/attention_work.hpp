#pragma once

// What the benchmarks of attention and factorization share.

#include <algorithm>
#include <cstdint>
#include <ctime>
#include <string>

#include <benchmark/benchmark.h>

#include <dformer/backend/cpu/kernels/kernels.hpp>
#include <dformer/backend/cpu/tensor.hpp>

namespace measured {

using dformer::Shape;
using dformer::cpu::Device;
using Tensor = dformer::cpu::Tensor<float>;

/// Multiply-adds a second of one thread, in processor time: a product small enough for the nearest cache, as
/// the NMF's Gram matrix is.
inline double multiply_add_rate() {
  constexpr std::int64_t depth = 128, width = 60, padded = 64, repeats = 2000;
  const Device device({.threads = 1});
  Tensor bases(device, {1, depth, padded});
  Tensor gram(device, {1, padded, padded});
  std::fill_n(bases.data(), depth * padded, 0.01f);
  dformer::cpu::NmfArgs<float> args{};
  args.bases = bases.data();
  args.gram = gram.data();
  args.channels = depth;
  args.width = padded;
  const auto kernel = dformer::cpu::kernels<float>(device.isa()).nmf_gram;
  double best = 0;
  for (int attempt = 0; attempt < 10; ++attempt) {
    const std::clock_t start = std::clock();
    for (int i = 0; i < repeats; ++i) kernel(args, 0, width / dformer::cpu::nmf_tile_rows);
    const double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
    best = std::max(best, static_cast<double>(repeats * width * padded * depth) / seconds);
  }
  return best;
}

struct Work {
  double multiply_adds = 0;
  double exponentials = 0;
  double bytes = 0;
};

inline void report(benchmark::State& state, const Device& device, const Work& work) {
  static const double peak = multiply_add_rate();
  using benchmark::Counter;
  if (work.bytes > 0) {
    state.counters["GB/s"] = Counter(work.bytes / 1e9, Counter::kIsIterationInvariantRate);
    return;
  }
  constexpr double instructions = 13;
  state.counters["GMAC/s"] = Counter(work.multiply_adds / 1e9, Counter::kIsIterationInvariantRate);
  state.counters["least_us"] =
      1e6 * (work.multiply_adds + instructions * work.exponentials) / (peak * device.threads());
}

/// Uneven values of both signs, so that no branch or exponential sees a special case.
inline Tensor filled(const Device& device, const Shape& shape, float low, float high) {
  Tensor tensor(device, shape);
  std::uint32_t state = 1;
  for (std::int64_t i = 0; i < shape.numel(); ++i) {
    state = state * 1664525u + 1013904223u;
    tensor.data()[i] = low + (high - low) * static_cast<float>(state >> 8) / 16777216.0f;
  }
  return tensor;
}

/// One thread is measured by the processor's time, so that other programs do not count; several by the clock.
template <class Body>
void add(const std::string& name, int threads, const Body& body) {
  auto* const registered =
      benchmark::RegisterBenchmark((name + "/threads:" + std::to_string(threads)).c_str(), body);
  registered->Unit(benchmark::kMicrosecond);
  if (threads > 1) registered->UseRealTime();
}

}  // namespace measured
