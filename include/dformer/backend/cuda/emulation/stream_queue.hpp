#pragma once

#include <functional>
#include <mutex>
#include <vector>

#include <dformer/backend/cuda/emulation/block.hpp>
#include <dformer/backend/cuda/stream.hpp>

namespace dformer::cuda {
namespace runtime {

/// What was kept of a stream while it was captured.
struct GraphHandle {
  std::vector<std::function<void()>> work;
  bool valid = true;
};

}  // namespace runtime

/// A stream of the emulation: what is started on it is done at once, or kept while it is captured.
struct StreamHandle {
  int ordinal = 0;
  runtime::GraphHandle* capture = nullptr;
  emulation::Order order = emulation::Order::ascending;  ///< of the threads of its kernels
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

inline void enqueue(Stream stream, std::function<void()> work) {
  if (stream->capture != nullptr) {
    stream->capture->work.push_back(std::move(work));
    return;
  }
  const std::lock_guard lock(device_mutex());
  work();
}

}  // namespace emulation
}  // namespace dformer::cuda
