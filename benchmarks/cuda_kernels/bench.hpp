#pragma once

// Measures kernels as a captured network runs them: a graph of many calls, each on other operands.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "sizes.hpp"
#include "work.hpp"
#include <dformer/backend/cuda/event.hpp>
#include <dformer/backend/cuda/graph.hpp>
#include <dformer/backend/cuda/measure/noise.hpp>

namespace dformer::benchmarks {

struct KernelTime {
  std::string kernel;
  Shape shape;
  Work work;
  int operands;         ///< sets of them that calls take in turn
  double microseconds;  ///< of one call: the median of the runs
  double least_microseconds;
};

struct BenchOptions {
  std::string only;                                    ///< part of the names of the kernels to measure
  std::size_t rotated_bytes = std::size_t{128} << 20;  ///< operands to take in turn: beyond the cache
  int runs = 5;
  std::function<void(const KernelTime&)> report;
};

enum class CallsAre : bool { captured, queued };

template <class T>
class Bench {
 public:
  using Tensor = cuda::Tensor<T>;

  Bench(const cuda::Device& device, const Sizes& of, BenchOptions options)
      : sizes(of), device_(device), noise_(device), options_(std::move(options)) {}

  const Sizes sizes;

  const cuda::Device& device() const { return device_; }
  Tensor noise(const Shape& shape) const { return noise_.tensor(shape); }
  /// One float32 value for each channel.
  Tensor channels(std::int64_t count) const { return noise_.tensor({count}, cuda::Elements::full); }
  Tensor full(const Shape& shape) const { return noise_.tensor(shape, cuda::Elements::full); }
  /// Bytes of so many activations.
  static double bytes(double elements) { return elements * sizeof(T); }

  /// `prepare` makes operands and returns the call, as a function without arguments that returns its results.
  /// Calls that bring something to the device each time cannot be captured, and are queued.
  template <class Prepare>
  void measure(const std::string& kernel, const Shape& shape, const Work& work, const Prepare& prepare,
               CallsAre calls_are = CallsAre::captured) {
    if (kernel.find(options_.only) == kernel.npos) return;
    const int operands = std::clamp(
        static_cast<int>(static_cast<double>(options_.rotated_bytes) / work.bytes) + 1, 1, most_operands);
    const int calls = std::max(operands, least_calls);
    std::vector<double> times = timed(prepare, operands, calls, calls_are);
    std::sort(times.begin(), times.end());
    options_.report({kernel, shape, work, operands, times[times.size() / 2], times.front()});
    device_.synchronize();
    if (device_.memory().use().reserved > most_kept_bytes) device_.memory().trim();
  }

 private:
  static constexpr int most_operands = 192;
  static constexpr int least_calls = 4;
  static constexpr std::size_t most_kept_bytes = std::size_t{16} << 30;

  /// Microseconds of a call in each run. Results are held until the same operands' next call, so that they
  /// lie elsewhere too.
  template <class Prepare>
  std::vector<double> timed(const Prepare& prepare, int operands, int calls, CallsAre calls_are) const {
    using Call = decltype(prepare());
    std::vector<Call> prepared;
    for (int i = 0; i < operands; ++i) prepared.push_back(prepare());
    std::vector<decltype(prepared[0]())> results(prepared.size());
    const auto call_all = [&] {
      for (int i = 0; i < calls; ++i) {
        const auto turn = static_cast<std::size_t>(i % operands);
        results[turn] = prepared[turn]();
      }
    };
    for (int warm_up = 0; warm_up < 2; ++warm_up) call_all();  // takes the memory that the graph needs
    cuda::Graph graph;
    if (calls_are == CallsAre::captured) graph = cuda::Graph(device_.stream(), call_all);
    const auto replay = [&] {
      if (calls_are == CallsAre::captured) {
        graph.replay(device_.stream());
      } else {
        call_all();
      }
    };
    replay();
    device_.synchronize();
    std::vector<double> times;
    for (int run = 0; run < options_.runs; ++run) {
      times.push_back(cuda::device_milliseconds(device_, replay) * 1e3 / calls);
    }
    return times;
  }

  cuda::Device device_;
  cuda::Noise<T> noise_;
  BenchOptions options_;
};

}  // namespace dformer::benchmarks
