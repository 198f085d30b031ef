// The emulation's answers to runtime.hpp. Compiled once, into dformer::cuda_emulation.

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>
#include <new>
#include <string>
#include <vector>

#include <dformer/backend/cuda/emulation/stream_queue.hpp>
#include <dformer/backend/cuda/errors.hpp>
#include <dformer/backend/cuda/runtime.hpp>

namespace dformer::cuda::runtime {

struct EventHandle {
  struct Record {
    Stream stream;
    std::chrono::steady_clock::time_point moment{};
    bool has_been = false;
  };
  std::shared_ptr<Record> record;  ///< the last one
  GraphHandle* capture = nullptr;  ///< in which it was recorded
  std::vector<std::size_t> last;   ///< the nodes that it comes after
};

/// Two, so that programs with several are seen too.
int device_count() {
  return 2;
}
std::string why_no_device() {
  return {};
}
Properties properties(int) {
  return {"emulated device", 8, 0, 1, free_memory(0), 0.0};
}
void make_current(int ordinal) {
  emulation::current_ordinal = ordinal;
}

std::vector<int> compiled_capabilities() {
  return {80};
}
std::size_t free_memory(int) {
  return std::size_t{4} << 30;
}

/// Whether memory may be taken or given back. A thread that captures must not: the capture comes to nothing.
static bool may_change_memory() noexcept {
  if (emulation::capture == nullptr) return true;
  emulation::capture->valid = false;
  return false;
}

// As on a GPU, fresh memory holds anything; here NaN in every type, so that what nobody wrote is seen.
void* allocate(int ordinal, std::size_t bytes) {
  make_current(ordinal);
  if (!may_change_memory()) throw CudaError("[cuda] memory was asked for while a graph is captured");
  void* const memory = bytes > free_memory(0) ? nullptr : std::aligned_alloc(256, (bytes + 255) / 256 * 256);
  if (memory != nullptr) std::memset(memory, 0xff, bytes);
  return memory;
}
void release(int ordinal, void* memory) noexcept {
  make_current(ordinal);
  may_change_memory();
  synchronize_device(ordinal);
  std::free(memory);
}
void* allocate_pinned(std::size_t bytes) {
  return allocate(emulation::current_ordinal, bytes);
}
void release_pinned(void* memory) noexcept {
  std::free(memory);
}

Stream create_stream(int ordinal) {
  make_current(ordinal);
  const Stream stream = new StreamHandle{.ordinal = ordinal};
  const std::lock_guard lock(emulation::device_mutex());
  emulation::streams().insert(stream);
  return stream;
}
void destroy_stream(int ordinal, Stream stream) noexcept {
  make_current(ordinal);
  synchronize(stream);
  {
    const std::lock_guard lock(emulation::device_mutex());
    emulation::streams().erase(stream);
  }
  delete stream;
}
void synchronize(Stream stream) {
  const std::lock_guard lock(emulation::device_mutex());
  emulation::finish(*stream);
}
void synchronize_device(int ordinal) {
  const std::lock_guard lock(emulation::device_mutex());
  for (Stream stream : emulation::streams()) {
    if (stream->ordinal == ordinal) emulation::finish(*stream);
  }
}

void copy_to_device(void* to, const void* from, std::size_t bytes, Stream stream) {
  copy_on_device(to, from, bytes, stream);
}
void copy_to_host(void* to, const void* from, std::size_t bytes, Stream stream) {
  copy_on_device(to, from, bytes, stream);
}
void copy_on_device(void* to, const void* from, std::size_t bytes, Stream stream) {
  emulation::enqueue(stream, [=] { std::memcpy(to, from, bytes); });
}
void fill_with_zeros(void* to, std::size_t bytes, Stream stream) {
  emulation::enqueue(stream, [=] { std::memset(to, 0, bytes); });
}

Event create_event(int ordinal) {
  make_current(ordinal);
  return new EventHandle;
}
void destroy_event(Event event) noexcept {
  delete event;
}
void record(Event event, Stream stream) {
  event->record = std::make_shared<EventHandle::Record>(EventHandle::Record{stream});
  emulation::enqueue(stream, [record = event->record] {
    record->moment = std::chrono::steady_clock::now();
    record->has_been = true;
  });
  event->capture = stream->capture;
  event->last = stream->last;
}
/// A stream that waits for what is captured is captured as well.
void wait_for(Stream stream, Event event) {
  if (event->capture != stream->capture &&
      (stream->capture != nullptr || event->capture != emulation::capture)) {
    throw CudaError("[cuda] a stream waits for an event of another capture, or a captured one for none");
  }
  if (event->capture == nullptr) return wait_for(event);
  if (stream->capture == nullptr) {
    stream->capture = event->capture;
    stream->order = stream->capture->streams.front()->order;
    stream->capture->streams.push_back(stream);
  }
  stream->last.insert(stream->last.end(), event->last.begin(), event->last.end());
}
void wait_for(Event event) {
  if (event->record == nullptr || event->capture != nullptr) return;
  const std::lock_guard lock(emulation::device_mutex());
  while (!event->record->has_been) emulation::do_next(*event->record->stream);
}
float elapsed(Event first, Event second) {
  wait_for(second);
  return std::chrono::duration<float, std::milli>(second->record->moment - first->record->moment).count();
}

void begin_capture(Stream stream) {
  stream->capture = emulation::capture = new GraphHandle{.nodes = {}, .streams = {stream}};
}
static void release_streams(GraphHandle& graph) noexcept {
  for (Stream stream : graph.streams) {
    stream->capture = nullptr;
    stream->last.clear();
  }
  emulation::capture = nullptr;
}
/// Whether the stream has waited for all that was captured.
static bool is_behind_all(const GraphHandle& graph, Stream stream) {
  std::vector<bool> before(graph.nodes.size(), false);
  for (const std::size_t node : stream->last) before[node] = true;
  for (std::size_t i = graph.nodes.size(); i-- > 0;) {
    if (!before[i]) return false;
    for (const std::size_t earlier : graph.nodes[i].after) before[earlier] = true;
  }
  return true;
}
Graph end_capture(Stream stream) {
  Graph graph = stream->capture;
  const bool behind_all = is_behind_all(*graph, stream);
  if (!graph->valid || !behind_all) {
    abandon_capture(stream);
    throw CudaError(behind_all ? "[cuda] what was captured gave memory back"
                               : "[cuda] a capture ended before a stream that waited for it was waited for");
  }
  release_streams(*graph);
  return graph;
}
void abandon_capture(Stream stream) noexcept {
  GraphHandle* const graph = stream->capture;
  release_streams(*graph);
  delete graph;
}
bool is_capturing(Stream stream) {
  return stream->capture != nullptr;
}
/// Where nodes have no order among them: as they were captured, the other way round, or in any order.
void replay(Graph graph, Stream stream) {
  std::vector<std::size_t> waits_for(graph->nodes.size()), ready;
  std::vector<std::vector<std::size_t>> followers(graph->nodes.size());
  for (std::size_t i = 0; i < graph->nodes.size(); ++i) {
    waits_for[i] = graph->nodes[i].after.size();
    for (const std::size_t earlier : graph->nodes[i].after) followers[earlier].push_back(i);
    if (waits_for[i] == 0) ready.push_back(i);
  }
  while (!ready.empty()) {
    auto next = std::min_element(ready.begin(), ready.end());
    if (stream->order == emulation::Order::descending) next = std::max_element(ready.begin(), ready.end());
    if (stream->order == emulation::Order::shuffled) {
      next = ready.begin() + static_cast<std::ptrdiff_t>(graph->random() % ready.size());
    }
    const std::size_t node = *next;
    ready.erase(next);
    emulation::enqueue(stream, graph->nodes[node].work);
    for (const std::size_t follower : followers[node]) {
      if (--waits_for[follower] == 0) ready.push_back(follower);
    }
  }
}
void destroy_graph(Graph graph) noexcept {
  delete graph;
}

void check(const char* what, int error) {
  if (error != 0) throw CudaError(std::string("[cuda] ") + what + " failed with " + std::to_string(error));
}

}  // namespace dformer::cuda::runtime
