#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <dformer/backend/cuda/stream.hpp>

/// What the backend asks of the CUDA runtime, in plain types, so that its users need none of CUDA's headers.
/// dformer::cuda answers with the real one, dformer::cuda_emulation with the host's memory and processor.
namespace dformer::cuda::runtime {

/// GPUs that can be used; 0 without one or without a driver.
int device_count();
/// Why device_count() is 0, as a sentence; empty otherwise.
std::string why_no_device();

struct Properties {
  std::string name;
  int major;  ///< compute capability
  int minor;
  int multiprocessors;
  std::size_t memory_bytes;
  double memory_bytes_per_second;  ///< by the clock and width of the bus; 0 where the driver does not tell
};
Properties properties(int ordinal);
/// The compute capabilities that kernels were compiled for, 75 for 7.5; the last one as PTX too.
std::vector<int> compiled_capabilities();
/// Bytes that are free on a device now.
std::size_t free_memory(int ordinal);

/// Memory of a device; null when it has not as much.
void* allocate(int ordinal, std::size_t bytes);
void release(int ordinal, void* memory) noexcept;
/// Memory of the host that copies may be made from and to while the program goes on; null when there is none.
void* allocate_pinned(std::size_t bytes);
void release_pinned(void* memory) noexcept;

/// Makes a device the one that this thread starts kernels on, which must be that of their stream. A thread
/// begins with device 0.
void make_current(int ordinal);

Stream create_stream(int ordinal);
void destroy_stream(int ordinal, Stream stream) noexcept;
/// Waits until all that was started on the stream is done.
void synchronize(Stream stream);
/// Waits until all that was started on the device, on any stream, is done.
void synchronize_device(int ordinal);

/// Copies and fills are started on the stream. The host's memory must be pinned, and stay until they are
/// done.
void copy_to_device(void* to, const void* from, std::size_t bytes, Stream stream);
void copy_to_host(void* to, const void* from, std::size_t bytes, Stream stream);
void copy_on_device(void* to, const void* from, std::size_t bytes, Stream stream);
void fill_with_zeros(void* to, std::size_t bytes, Stream stream);

/// A moment on a stream.
using Event = struct EventHandle*;
Event create_event(int ordinal);
void destroy_event(Event event) noexcept;
void record(Event event, Stream stream);
/// What is started on the stream from now on waits for the event.
void wait_for(Stream stream, Event event);
/// Waits until the event has been.
void wait_for(Event event);
/// Waits for the later event. Milliseconds.
float elapsed(Event first, Event second);

/// What was started on a stream, to be started again as a whole.
using Graph = struct GraphHandle*;
/// From here on nothing that this thread starts on the stream is done, but kept for end_capture.
void begin_capture(Stream stream);
Graph end_capture(Stream stream);
/// Ends a capture that came to nothing.
void abandon_capture(Stream stream) noexcept;
bool is_capturing(Stream stream);
void replay(Graph graph, Stream stream);
void destroy_graph(Graph graph) noexcept;

/// Throws CudaError, with what CUDA says of it, unless `error`, a cudaError_t, is 0. `what` names the call or
/// the kernel.
void check(const char* what, int error);

}  // namespace dformer::cuda::runtime
