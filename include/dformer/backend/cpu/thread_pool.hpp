#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include <dformer/core/error.hpp>

namespace dformer::cpu {

/// Workers that share the chunks of one loop at a time. A call costs a few hundred nanoseconds while the
/// workers are awake (they spin for a moment before they sleep) and never touches the heap. The caller works
/// too, so a pool of one thread has no workers and starts none.
class ThreadPool {
 public:
  using Task = void (*)(const void* context, std::int64_t begin, std::int64_t end) noexcept;

  /// Throws: ArgumentError when the system does not give that many threads.
  explicit ThreadPool(int threads) {
    workers_.reserve(static_cast<std::size_t>(std::max(threads - 1, 0)));
    try {
      for (int i = 1; i < threads; ++i) workers_.emplace_back([this] { serve(); });
    } catch (const std::system_error& error) {
      const std::string started = std::to_string(workers_.size() + 1);
      stop();
      throw_argument_error("[Device] the system gave " + started + " of " + std::to_string(threads) +
                           " threads (" + error.what() + "); ask for fewer");
    }
  }
  ~ThreadPool() { stop(); }
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int threads() const { return static_cast<int>(workers_.size()) + 1; }

  /// Runs task(context, begin, end) over [0, count), cut into chunks. If another thread is using the pool, or
  /// the call comes from inside a task, the caller does all of it alone.
  void run(std::int64_t count, Task task, const void* context) {
    const std::int64_t chunks = std::min<std::int64_t>(count, std::int64_t{threads()} * chunks_per_thread);
    if (chunks <= 1 || workers_.empty() || in_use_.exchange(true, std::memory_order_acquire)) {
      if (count > 0) task(context, 0, count);
      return;
    }
    // Closed before the fields change, so that no worker still in the last loop can claim a chunk of this one
    // early: whoever sees a new field also sees that the last loop is closed, and its exchange fails.
    const std::uint64_t closed = (state_.load(std::memory_order_relaxed) | chunk_mask) + one_generation;
    state_.store(closed, std::memory_order_relaxed);
    task_.store(task, std::memory_order_release);
    context_.store(context, std::memory_order_release);
    count_.store(count, std::memory_order_release);
    chunks_.store(chunks, std::memory_order_release);
    done_.store(0, std::memory_order_relaxed);
    state_.store((closed & ~chunk_mask) + one_generation, std::memory_order_release);
    state_.notify_all();
    work();
    for (int spin = 0; done_.load(std::memory_order_acquire) < chunks; ++spin) {
      // A worker that holds the last chunk may have lost its processor to somebody else.
      spin < spins_before_sleep ? pause() : std::this_thread::yield();
    }
    in_use_.store(false, std::memory_order_release);
  }

 private:
  // state_ holds the number of the loop in its upper half and the next chunk in its lower half. A worker that
  // read the fields of an old loop can therefore not claim a chunk of a new one: its exchange fails.
  static constexpr std::uint64_t one_generation = std::uint64_t{1} << 32;
  static constexpr std::uint64_t chunk_mask = one_generation - 1;
  static constexpr std::int64_t chunks_per_thread = 4;
  static constexpr int spins_before_sleep = 4000;

  void stop() {
    stop_.store(true, std::memory_order_relaxed);
    state_.fetch_add(one_generation, std::memory_order_release);
    state_.notify_all();
    for (std::thread& worker : workers_) worker.join();
  }

  static void pause() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
  }

  void work() {
    std::uint64_t state = state_.load(std::memory_order_acquire);
    for (;;) {
      const auto chunk = static_cast<std::int64_t>(state & chunk_mask);
      const Task task = task_.load(std::memory_order_acquire);
      const void* context = context_.load(std::memory_order_acquire);
      const std::int64_t count = count_.load(std::memory_order_acquire);
      const std::int64_t chunks = chunks_.load(std::memory_order_acquire);
      if (chunk >= chunks) return;
      if (!state_.compare_exchange_weak(state, state + 1, std::memory_order_acq_rel,
                                        std::memory_order_acquire)) {
        continue;
      }
      task(context, count * chunk / chunks, count * (chunk + 1) / chunks);
      done_.fetch_add(1, std::memory_order_acq_rel);
      state = state_.load(std::memory_order_acquire);
    }
  }

  void serve() {
    std::uint64_t seen = 0;
    for (;;) {
      std::uint64_t state = state_.load(std::memory_order_acquire);
      for (int spin = 0; (state & ~chunk_mask) == seen && spin < spins_before_sleep; ++spin) {
        pause();
        state = state_.load(std::memory_order_acquire);
      }
      while ((state & ~chunk_mask) == seen) {
        state_.wait(state, std::memory_order_acquire);
        state = state_.load(std::memory_order_acquire);
      }
      if (stop_.load(std::memory_order_relaxed)) return;
      seen = state & ~chunk_mask;
      work();
    }
  }

  alignas(64) std::atomic<std::uint64_t> state_{0};
  alignas(64) std::atomic<std::int64_t> done_{0};
  std::atomic<Task> task_{nullptr};
  std::atomic<const void*> context_{nullptr};
  std::atomic<std::int64_t> count_{0};
  std::atomic<std::int64_t> chunks_{0};
  std::atomic<bool> stop_{false};
  std::atomic<bool> in_use_{false};
  std::vector<std::thread> workers_;
};

}  // namespace dformer::cpu
