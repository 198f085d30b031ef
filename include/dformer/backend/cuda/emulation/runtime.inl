// The emulation's answers to runtime.hpp. Compiled once, into dformer::cuda_emulation.

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string>

#include <dformer/backend/cuda/emulation/stream_queue.hpp>
#include <dformer/backend/cuda/errors.hpp>
#include <dformer/backend/cuda/runtime.hpp>

namespace dformer::cuda::runtime {

struct EventHandle {
  std::chrono::steady_clock::time_point moment;
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
  return new StreamHandle{.ordinal = ordinal};
}
void destroy_stream(int ordinal, Stream stream) noexcept {
  make_current(ordinal);
  delete stream;
}
void synchronize(Stream) {}
void synchronize_device(int) {}

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
  emulation::enqueue(stream, [=] { event->moment = std::chrono::steady_clock::now(); });
}
void wait_for(Stream, Event) {}
void wait_for(Event) {}
float elapsed(Event first, Event second) {
  return std::chrono::duration<float, std::milli>(second->moment - first->moment).count();
}

void begin_capture(Stream stream) {
  stream->capture = emulation::capture = new GraphHandle;
}
Graph end_capture(Stream stream) {
  Graph graph = stream->capture;
  if (!graph->valid) {
    abandon_capture(stream);
    throw CudaError("[cuda] what was captured gave memory back");
  }
  stream->capture = emulation::capture = nullptr;
  return graph;
}
void abandon_capture(Stream stream) noexcept {
  delete stream->capture;
  stream->capture = emulation::capture = nullptr;
}
bool is_capturing(Stream stream) {
  return stream->capture != nullptr;
}
void replay(Graph graph, Stream stream) {
  for (const auto& work : graph->work) emulation::enqueue(stream, work);
}
void destroy_graph(Graph graph) noexcept {
  delete graph;
}

void check(const char* what, int error) {
  if (error != 0) throw CudaError(std::string("[cuda] ") + what + " failed with " + std::to_string(error));
}

}  // namespace dformer::cuda::runtime
