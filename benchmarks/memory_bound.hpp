#pragma once

// What the benchmarks of memory-bound operations share: one thread, uneven values, and a measure of how fast
// memory goes.

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <functional>
#include <map>
#include <string>

#include <benchmark/benchmark.h>

#include <dformer/backend/cpu/tensor.hpp>

namespace dformer::benchmarks {

using Tensor = cpu::Tensor<float>;

inline const cpu::Device& device() {
  static const cpu::Device one({.threads = 1});
  return one;
}

/// Uneven values of both signs.
inline Tensor filled(const Shape& shape) {
  Tensor tensor(device(), shape);
  std::uint32_t state = 1;
  for (std::int64_t i = 0; i < shape.numel(); ++i) {
    state = state * 1664525u + 1013904223u;
    tensor.data()[i] = static_cast<float>(state >> 8) / 8388608.0f - 1.0f;
  }
  return tensor;
}

/// Processor time of this thread: what others do on the machine counts only by way of the memory that they
/// use.
inline double thread_seconds() {
  std::timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

/// Least seconds that reading half of `bytes` and writing it elsewhere takes.
inline double copy_seconds(double bytes) {
  static std::map<double, double> measured;
  if (const auto found = measured.find(bytes); found != measured.end()) return found->second;
  const Shape shape{static_cast<std::int64_t>(bytes / 8)};
  const Tensor from = filled(shape);
  Tensor to = filled(shape);
  double least = 1e9;
  for (int attempt = 0; attempt < 100; ++attempt) {
    const double start = thread_seconds();
    // In pieces, so that the C library does not write past the caches, which none of the operations do.
    constexpr std::int64_t piece = 16384;
    for (std::int64_t at = 0; at < shape[0]; at += piece) {
      const auto count = static_cast<std::size_t>(std::min(piece, shape[0] - at));
      std::memcpy(to.data() + at, from.data() + at, count * sizeof(float));
    }
    benchmark::ClobberMemory();
    least = std::min(least, thread_seconds() - start);
  }
  return measured[bytes] = least;
}

struct Work {
  double bytes;
  double operations = 0;
};

inline void add(const std::string& name, const Work& work, const std::function<void()>& run) {
  benchmark::RegisterBenchmark(name.c_str(), [=](benchmark::State& state) {
    run();  // the first call takes its memory from the system
    double least = 1e9;
    for (auto _ : state) {
      const double start = thread_seconds();
      run();
      least = std::min(least, thread_seconds() - start);
    }
    state.counters["least_us"] = least * 1e6;
    state.counters["GB/s"] = work.bytes / least / 1e9;
    state.counters["of_copy"] = copy_seconds(work.bytes) / least;
    if (work.operations > 0) state.counters["GFLOP/s"] = work.operations / least / 1e9;
  })->Unit(benchmark::kMicrosecond);
}

/// Runs what was added. Returns main's result.
inline int run(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::AddCustomContext("instruction_set", std::string(to_string(device().isa())));
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}

}  // namespace dformer::benchmarks
