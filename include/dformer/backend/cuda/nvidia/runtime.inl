// The CUDA runtime's answers to runtime.hpp. Compiled once, into dformer::cuda.

#include <cstddef>
#include <string>

#include <cuda_runtime_api.h>

#include <dformer/backend/cuda/errors.hpp>
#include <dformer/backend/cuda/nvidia/select_gpu.inl>
#include <dformer/backend/cuda/runtime.hpp>

namespace dformer::cuda::runtime {

namespace {

cudaStream_t native(Stream stream) {
  return reinterpret_cast<cudaStream_t>(stream);
}
cudaEvent_t native(Event event) {
  return reinterpret_cast<cudaEvent_t>(event);
}
cudaGraphExec_t native(Graph graph) {
  return reinterpret_cast<cudaGraphExec_t>(graph);
}

/// What `take(&memory)` gives, or null where there is not as much; that error must not be met by a later
/// call.
template <class Take>
void* or_null(const char* what, const Take& take) {
  void* memory = nullptr;
  const cudaError_t error = take(&memory);
  if (error == cudaErrorMemoryAllocation) {
    static_cast<void>(cudaGetLastError());
    return nullptr;
  }
  check(what, error);
  return memory;
}

}  // namespace

void check(const char* what, int error) {
  const auto code = static_cast<cudaError_t>(error);
  if (code == cudaSuccess) return;
  static_cast<void>(cudaGetLastError());  // or the next launch would be taken for what failed
  throw CudaError(std::string("[cuda] ") + what + " failed: " + cudaGetErrorName(code) + ", " +
                  cudaGetErrorString(code));
}

int device_count() {
  int count = 0;
  return cudaGetDeviceCount(&count) == cudaSuccess ? count : 0;
}
std::string why_no_device() {
  int count = 0;
  const cudaError_t error = cudaGetDeviceCount(&count);
  if (error == cudaSuccess) {
    return count > 0 ? "" : "the NVIDIA driver shows no GPU to this process";
  }
  int driver = 0;
  if (cudaDriverGetVersion(&driver) == cudaSuccess && driver == 0) {
    return "no NVIDIA driver was found; install one, or run the CPU backend";
  }
  return std::string(cudaGetErrorString(error)) + " (" + cudaGetErrorName(error) + ")";
}

Properties properties(int ordinal) {
  cudaDeviceProp known{};
  check("cudaGetDeviceProperties", cudaGetDeviceProperties(&known, ordinal));
  int kilohertz = 0;
  if (cudaDeviceGetAttribute(&kilohertz, cudaDevAttrMemoryClockRate, ordinal) != cudaSuccess) {
    static_cast<void>(cudaGetLastError());
    kilohertz = 0;
  }
  // Two transfers a cycle, over the whole width of the bus.
  const double bandwidth = 2.0 * 1000.0 * kilohertz * known.memoryBusWidth / 8;
  return {known.name, known.major, known.minor, known.multiProcessorCount, known.totalGlobalMem, bandwidth};
}
std::vector<int> compiled_capabilities() {
  return {DFORMER_CUDA_CAPABILITIES};
}
void make_current(int ordinal) {
  int current = -1;
  check("cudaGetDevice", cudaGetDevice(&current));
  if (current != ordinal) check("cudaSetDevice", cudaSetDevice(ordinal));
}

std::size_t free_memory(int ordinal) {
  make_current(ordinal);
  std::size_t free = 0, total = 0;
  check("cudaMemGetInfo", cudaMemGetInfo(&free, &total));
  return free;
}

void* allocate(int ordinal, std::size_t bytes) {
  make_current(ordinal);
  return or_null("cudaMalloc", [&](void** memory) { return cudaMalloc(memory, bytes); });
}
void release(int ordinal, void* memory) noexcept {
  select_gpu(ordinal);
  static_cast<void>(cudaFree(memory));
}
void* allocate_pinned(std::size_t bytes) {
  return or_null("cudaHostAlloc",
                 [&](void** memory) { return cudaHostAlloc(memory, bytes, cudaHostAllocPortable); });
}
void release_pinned(void* memory) noexcept {
  static_cast<void>(cudaFreeHost(memory));
}

Stream create_stream(int ordinal) {
  make_current(ordinal);
  cudaStream_t stream = nullptr;
  check("cudaStreamCreateWithFlags", cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking));
  return reinterpret_cast<Stream>(stream);
}
void destroy_stream(int ordinal, Stream stream) noexcept {
  select_gpu(ordinal);
  static_cast<void>(cudaStreamSynchronize(native(stream)));
  static_cast<void>(cudaStreamDestroy(native(stream)));
}
void synchronize(Stream stream) {
  check("cudaStreamSynchronize", cudaStreamSynchronize(native(stream)));
}
void synchronize_device(int ordinal) {
  make_current(ordinal);
  check("cudaDeviceSynchronize", cudaDeviceSynchronize());
}

void copy_to_device(void* to, const void* from, std::size_t bytes, Stream stream) {
  check("cudaMemcpyAsync to the device",
        cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, native(stream)));
}
void copy_to_host(void* to, const void* from, std::size_t bytes, Stream stream) {
  check("cudaMemcpyAsync to the host",
        cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToHost, native(stream)));
}
void copy_on_device(void* to, const void* from, std::size_t bytes, Stream stream) {
  check("cudaMemcpyAsync on the device",
        cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, native(stream)));
}
void fill_with_zeros(void* to, std::size_t bytes, Stream stream) {
  check("cudaMemsetAsync", cudaMemsetAsync(to, 0, bytes, native(stream)));
}

Event create_event(int ordinal) {
  make_current(ordinal);
  cudaEvent_t event = nullptr;
  check("cudaEventCreate", cudaEventCreate(&event));
  return reinterpret_cast<Event>(event);
}
void destroy_event(Event event) noexcept {
  static_cast<void>(cudaEventDestroy(native(event)));
}
void record(Event event, Stream stream) {
  check("cudaEventRecord", cudaEventRecord(native(event), native(stream)));
}
void wait_for(Stream stream, Event event) {
  check("cudaStreamWaitEvent", cudaStreamWaitEvent(native(stream), native(event), 0));
}
void wait_for(Event event) {
  check("cudaEventSynchronize", cudaEventSynchronize(native(event)));
}
float elapsed(Event first, Event second) {
  wait_for(second);
  float milliseconds = 0.0f;
  check("cudaEventElapsedTime", cudaEventElapsedTime(&milliseconds, native(first), native(second)));
  return milliseconds;
}

/// Other threads may go on allocating and copying meanwhile: only this one is held to what a graph can keep.
void begin_capture(Stream stream) {
  check("cudaStreamBeginCapture", cudaStreamBeginCapture(native(stream), cudaStreamCaptureModeThreadLocal));
}
Graph end_capture(Stream stream) {
  cudaGraph_t graph = nullptr;
  check("cudaStreamEndCapture", cudaStreamEndCapture(native(stream), &graph));
  cudaGraphExec_t executable = nullptr;
  const cudaError_t error = cudaGraphInstantiate(&executable, graph, 0);
  static_cast<void>(cudaGraphDestroy(graph));
  check("cudaGraphInstantiate", error);
  return reinterpret_cast<Graph>(executable);
}
void abandon_capture(Stream stream) noexcept {
  cudaGraph_t graph = nullptr;
  static_cast<void>(cudaStreamEndCapture(native(stream), &graph));
  if (graph != nullptr) static_cast<void>(cudaGraphDestroy(graph));
  static_cast<void>(cudaGetLastError());  // that of a call that a capture does not allow
}
bool is_capturing(Stream stream) {
  cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
  check("cudaStreamIsCapturing", cudaStreamIsCapturing(native(stream), &status));
  return status != cudaStreamCaptureStatusNone;
}
void replay(Graph graph, Stream stream) {
  check("cudaGraphLaunch", cudaGraphLaunch(native(graph), native(stream)));
}
void destroy_graph(Graph graph) noexcept {
  static_cast<void>(cudaGraphExecDestroy(native(graph)));
}

}  // namespace dformer::cuda::runtime
