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
std::size_t free_memory(int) {
  return std::size_t{4} << 30;
}

// As on a GPU, fresh memory holds anything; here NaN in every type, so that what nobody wrote is seen.
void* allocate(int, std::size_t bytes) {
  void* const memory = bytes > free_memory(0) ? nullptr : std::aligned_alloc(256, (bytes + 255) / 256 * 256);
  if (memory != nullptr) std::memset(memory, 0xff, bytes);
  return memory;
}
void release(int, void* memory) noexcept {
  std::free(memory);
}
void* allocate_pinned(std::size_t bytes) {
  return allocate(0, bytes);
}
void release_pinned(void* memory) noexcept {
  std::free(memory);
}

void make_current(int ordinal) {
  emulation::current_ordinal = ordinal;
}

Stream create_stream(int ordinal) {
  return new StreamHandle{.ordinal = ordinal};
}
void destroy_stream(int, Stream stream) noexcept {
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

Event create_event(int) {
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
  stream->capture = new GraphHandle;
}
Graph end_capture(Stream stream) {
  Graph graph = stream->capture;
  stream->capture = nullptr;
  return graph;
}
void abandon_capture(Stream stream) noexcept {
  delete stream->capture;
  stream->capture = nullptr;
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
