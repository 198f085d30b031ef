#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <dformer/backend/cuda/emulation/fiber.hpp>
#include <dformer/core/error.hpp>

namespace dformer::cuda {

struct Dim3 {
  unsigned x = 1, y = 1, z = 1;
};

/// Where the running thread of a kernel is. The emulation runs one thread at a time.
inline Dim3 threadIdx, blockIdx, blockDim, gridDim;

namespace emulation {

/// The order in which the threads of a block run between two barriers. A kernel that lacks a barrier gives
/// another result in another order.
enum class Order : std::uint8_t { ascending, descending, shuffled };

/// Runs the threads of one block: each until it ends or waits at a barrier, which opens when all that have
/// not ended are there.
class Block {
 public:
  static constexpr unsigned warp_size = 32;

  explicit Block(unsigned threads, Order order) : threads_(threads), warps_(threads / warp_size) {
    start_order_.resize(threads);
    for (unsigned i = 0; i < threads; ++i) start_order_[i] = i;
    if (order == Order::descending) std::reverse(start_order_.begin(), start_order_.end());
    if (order == Order::shuffled)
      std::shuffle(start_order_.begin(), start_order_.end(), std::mt19937(threads));
  }
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;

  /// The block whose threads are running.
  static Block*& current() {
    static Block* block = nullptr;
    return block;
  }

  /// Throws: Error where threads wait for others that wait elsewhere.
  void run(void (*kernel)(const void*), const void* args) {
    kernel_ = kernel;
    args_ = args;
    next_ = ended_ = waiting_ = 0;
    for (Warp& warp : warps_) warp = Warp{};
    for (Thread& thread : threads_) thread = Thread{};
    while (ended_ < threads_.size()) {
      if (!ready_.empty()) {
        Thread& thread = threads_[ready_.front()];
        ready_.pop_front();
        resume(*thread.fiber);
      } else if (next_ < threads_.size()) {
        resume(idle_fiber());
      } else {
        fail_stuck();
      }
    }
  }

  void sync_threads() {
    ++waiting_;
    if (open_block_barrier()) return;
    block_waiters_.push_back(running_);
    wait();
  }

  void sync_warp() {
    Warp& warp = warp_of(running_);
    ++warp.waiting;
    if (open_barrier(warp)) return;
    warp.waiters.push_back(running_);
    wait();
  }

  /// What the lane `source` of the warp passes here at the same time; its own value where there is no such
  /// lane.
  template <class T>
  T exchange(T value, unsigned source) {
    static_assert(sizeof(T) <= sizeof(std::uint64_t));
    const Lanes& lanes = publish(value);
    if (source >= warp_size) return value;
    T result;
    std::memcpy(&result, &lanes[source], sizeof(T));
    return result;
  }

  /// The values of all lanes; valid until the next exchange but one.
  template <class T>
  const std::array<std::uint64_t, warp_size>& publish(T value) {
    Warp& warp = warp_of(running_);
    // A lane can be one exchange ahead of another, which still reads: two buffers, taken in turn.
    Lanes& lanes = warp.lanes[threads_[running_].exchanges++ % 2];
    std::memcpy(&lanes[running_ % warp_size], &value, sizeof(T));
    sync_warp();
    return lanes;
  }

  /// What a warp does as one: `body` is called once, with what each lane brings, when all are here.
  using Brought = std::array<void*, warp_size>;
  template <class Body>
  void together(void* own, const Body& body) {
    Warp& warp = warp_of(running_);
    warp.brought[running_ % warp_size] = own;
    if (warp.waiting + warp.ended + 1 == warp_size) body(std::as_const(warp.brought));
    sync_warp();
  }

  unsigned lane() const { return running_ % warp_size; }

 private:
  using Lanes = std::array<std::uint64_t, warp_size>;
  struct Thread {
    Fiber* fiber = nullptr;
    unsigned exchanges = 0;
    bool ended = false;
  };
  struct Warp {
    unsigned waiting = 0;
    unsigned ended = 0;
    std::vector<unsigned> waiters{};
    std::array<Lanes, 2> lanes{};
    std::array<void*, warp_size> brought{};
  };

  Warp& warp_of(unsigned thread) { return warps_[thread / warp_size]; }

  bool open_block_barrier() {
    if (waiting_ == 0 || waiting_ + ended_ < threads_.size()) return false;
    waiting_ = 0;
    ready_.insert(ready_.end(), block_waiters_.begin(), block_waiters_.end());
    block_waiters_.clear();
    return true;
  }
  bool open_barrier(Warp& warp) {
    if (warp.waiting == 0 || warp.waiting + warp.ended < warp_size) return false;
    warp.waiting = 0;
    ready_.insert(ready_.end(), warp.waiters.begin(), warp.waiters.end());
    warp.waiters.clear();
    return true;
  }

  /// Leaves the running thread where it is until its barrier opens.
  void wait() {
    const unsigned thread = running_;
    Fiber::leave();
    become(thread);
  }
  void become(unsigned thread) {
    running_ = thread;
    threadIdx = {thread % blockDim.x, thread / blockDim.x % blockDim.y, thread / (blockDim.x * blockDim.y)};
  }

  /// A fiber runs one thread after another for as long as none of them waits.
  void work(Fiber& fiber) {
    while (true) {
      while (next_ < threads_.size() && ready_.empty()) {
        const unsigned thread = start_order_[next_++];
        threads_[thread].fiber = &fiber;
        become(thread);
        kernel_(args_);
        ++ended_;
        ++warp_of(thread).ended;
        open_block_barrier();
        open_barrier(warp_of(thread));
      }
      idle_.push_back(&fiber);
      Fiber::leave();
    }
  }
  Fiber& idle_fiber() {
    if (idle_.empty()) {
      fibers_.push_back(std::make_unique<Fiber>([this](Fiber& fiber) { work(fiber); }));
      return *fibers_.back();
    }
    Fiber* const fiber = idle_.back();
    idle_.pop_back();
    return *fiber;
  }
  void resume(Fiber& fiber) {
    current() = this;
    fiber.enter();
  }
  [[noreturn]] void fail_stuck() {
    throw Error("[emulation] block (" + std::to_string(blockIdx.x) + ", " + std::to_string(blockIdx.y) +
                ", " + std::to_string(blockIdx.z) + ") is stuck: of " + std::to_string(threads_.size()) +
                " threads " + std::to_string(waiting_) + " wait at __syncthreads and " +
                std::to_string(ended_) +
                " have ended; the others wait within their warp for lanes that do not come");
  }

  std::vector<Thread> threads_;
  std::vector<Warp> warps_;
  std::vector<unsigned> start_order_;
  std::vector<unsigned> block_waiters_;
  std::deque<unsigned> ready_;
  std::vector<std::unique_ptr<Fiber>> fibers_;
  std::vector<Fiber*> idle_;
  void (*kernel_)(const void*) = nullptr;
  const void* args_ = nullptr;
  unsigned running_ = 0;
  std::size_t next_ = 0;
  std::size_t ended_ = 0;
  std::size_t waiting_ = 0;
};

}  // namespace emulation
}  // namespace dformer::cuda
