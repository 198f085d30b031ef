#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <random>
#include <set>
#include <utility>
#include <vector>

#include <dformer/backend/cuda/emulation/block.hpp>
#include <dformer/backend/cuda/stream.hpp>

namespace dformer::cuda {
namespace runtime {

/// What was kept of a stream, and of those that waited for it, while it was captured.
struct GraphHandle {
  struct Node {
    std::function<void()> work;
    std::vector<std::size_t> after;  ///< numbers of earlier nodes
  };
  std::vector<Node> nodes;
  std::vector<Stream> streams;
  std::mt19937 random{1};  ///< each replay has another order
  bool valid = true;
};

}  // namespace runtime

/// A stream of the emulation: what is started on it is done at once, unless it is late, or kept while it is
/// captured.
struct StreamHandle {
  int ordinal = 0;
  runtime::GraphHandle* capture = nullptr;
  std::vector<std::size_t> last{};  ///< nodes that the next one comes after
  /// Of the threads of its kernels, and of what a graph says no order of.
  emulation::Order order = emulation::Order::ascending;
  /// Whether what is started is done when something waits for it, as by a GPU that has much to do.
  bool is_late = false;
  std::deque<std::function<void()>> started{};  ///< and not done yet
};

namespace emulation {

/// The device that this thread starts kernels on.
inline thread_local int current_ordinal = 0;
/// What this thread captures.
inline thread_local runtime::GraphHandle* capture = nullptr;

/// The emulated device: one kernel at a time, whatever the number of streams and threads.
inline std::mutex& device_mutex() {
  static std::mutex mutex;
  return mutex;
}

/// All there are. The mutex guards them, and what they have started.
inline std::set<Stream>& streams() {
  static std::set<Stream> all;
  return all;
}

/// Does the next of what was started. The mutex is held.
inline void do_next(StreamHandle& stream) {
  const std::function<void()> work = std::move(stream.started.front());
  stream.started.pop_front();
  work();
}
inline void finish(StreamHandle& stream) {
  while (!stream.started.empty()) do_next(stream);
}

inline void enqueue(Stream stream, std::function<void()> work) {
  if (stream->capture != nullptr) {
    stream->capture->nodes.push_back({std::move(work), std::move(stream->last)});
    stream->last = {stream->capture->nodes.size() - 1};
    return;
  }
  const std::lock_guard lock(device_mutex());
  stream->started.push_back(std::move(work));
  if (!stream->is_late) finish(*stream);
}

}  // namespace emulation
}  // namespace dformer::cuda
