#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>

#include <dformer/backend/cpu/isa.hpp>
#include <dformer/backend/cpu/memory_pool.hpp>
#include <dformer/backend/cpu/thread_pool.hpp>
#include <dformer/core/error.hpp>

namespace dformer::cpu {

struct DeviceOptions {
  /// Threads that work on one operation, the caller among them; 1 starts none; 0 takes one for each
  /// processor.
  int threads = 0;
  /// An upper bound; a set that the processor lacks is never used.
  Isa isa = Isa::avx512;
};

/// Where tensors live and by whom operations are done: a pool of threads, a pool of memory, an instruction
/// set. A cheap handle; copies name the same device, which lives as long as a copy or a tensor does.
/// Operations on one device may be called from any thread; the one that comes second works alone until the
/// pool is free.
class Device {
 public:
  explicit Device(DeviceOptions options = {}) : state_(std::make_shared<State>(options)) {}

  int threads() const { return state_->threads.threads(); }
  Isa isa() const { return state_->isa; }
  MemoryPool& memory() const { return state_->memory; }

  /// Calls body(begin, end) on disjoint parts of [0, count) until all of it is done. Which thread takes which
  /// part is not fixed, so what a part computes must not depend on it. body must not throw.
  template <class Body>
  void parallel_for(std::int64_t count, const Body& body) const {
    state_->threads.run(
        count,
        [](const void* context, std::int64_t begin, std::int64_t end) noexcept {
          (*static_cast<const Body*>(context))(begin, end);
        },
        &body);
  }

  friend bool operator==(const Device& a, const Device& b) { return a.state_ == b.state_; }

 private:
  struct State {
    explicit State(DeviceOptions options)
        : isa(options.isa < best_isa() ? options.isa : best_isa()), threads(thread_count(options.threads)) {}
    Isa isa;
    MemoryPool memory;
    ThreadPool threads;
  };
  static int thread_count(int asked) {
    if (asked < 0) {
      throw_argument_error("[Device] threads must be 0 (all processors) or more, got " +
                           std::to_string(asked));
    }
    return asked != 0 ? asked : std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  }

  std::shared_ptr<State> state_;
};

/// The device that a network is made on when none is named: all processors. It is made at the first call.
inline const Device& default_device() {
  static const Device device;
  return device;
}

}  // namespace dformer::cpu
