#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <dformer/backend/cuda/capabilities.hpp>
#include <dformer/backend/cuda/errors.hpp>
#include <dformer/backend/cuda/library.hpp>
#include <dformer/backend/cuda/memory_pool.hpp>
#include <dformer/backend/cuda/owned_stream.hpp>
#include <dformer/backend/cuda/runtime.hpp>
#include <dformer/backend/cuda/side_streams.hpp>
#include <dformer/backend/cuda/staging.hpp>

namespace dformer::cuda {

struct DeviceOptions {
  int ordinal = 0;  ///< which GPU, as CUDA numbers them
  /// Whether half and bfloat16 weights keep a float32 copy that optimisers change: for training.
  bool master_weights = false;
  /// Whether only algorithms are used that give the same bits at each run.
  bool deterministic = false;
  /// Whether float32 products may round their factors to 10 bits (TF32), as tensor cores take them.
  bool allow_tf32 = false;
  /// Whether the backend's own kernels for attention, linear layers, depthwise convolutions and factorization
  /// in half and bfloat16 may use tensor cores, where the GPU has them: weights of values are then rounded to
  /// 16 bits, and factors of the factorization's products to TF32's 19.
  bool tensor_cores = true;
};

/// A GPU with a stream of its own, on which all its operations are done in order (but for `concurrently`),
/// and the memory that its tensors have. A cheap handle; copies name the same device, which lives as long as
/// a copy or a tensor does. One thread at a time may start operations on it; networks that run side by side
/// have a device each. Nothing waits for the GPU but what brings values to the host, and `synchronize`. Where
/// there are several GPUs, a thread's current one, as CUDA calls it, is that of the device that it last used.
class Device {
 public:
  /// Throws: CudaError where there is no such GPU or no driver.
  explicit Device(DeviceOptions options = {}) : state_(std::make_shared<State>(options)) {}

  const DeviceOptions& options() const { return state_->options; }
  /// Makes its GPU the current one, which kernels on the stream must be started on.
  Stream stream() const {
    runtime::make_current(options().ordinal);
    return state_->side_streams.stream();
  }
  MemoryPool& memory() const { return *state_->memory; }
  const std::shared_ptr<MemoryPool>& shared_memory() const { return state_->memory; }
  Staging& staging() const { return state_->staging; }
  /// cuBLASLt and cuDNN, with what they keep for this stream.
  library::Context& libraries() const { return state_->side_streams.libraries(*state_->libraries); }
  /// Calls parts of a computation that need nothing of each other, one after the other. Where a network is
  /// captured, what they start goes on side by side; an Event or `synchronize` in a part then sees only that
  /// part.
  template <class... Parts>
  void concurrently(const Parts&... parts) const {
    state_->side_streams.run_all(*state_->memory, parts...);
  }
  /// Whether kernels may use tensor cores as of compute capability 8.0: 16-bit and TF32 products.
  bool has_tensor_cores() const { return state_->tensor_cores; }
  void synchronize() const { runtime::synchronize(stream()); }

  friend class SeparateMemory;
  friend class SideBySide;
  friend bool operator==(const Device& a, const Device& b) { return a.state_ == b.state_; }

 private:
  struct State {
    explicit State(const DeviceOptions& given)
        : options(require(given)),
          tensor_cores(given.tensor_cores && runtime::properties(given.ordinal).major >= 8),
          memory(std::make_shared<MemoryPool>(given.ordinal)),
          staging(given.ordinal),
          stream(given.ordinal),
          libraries(library::create_context(library_options())),
          side_streams(library_options()) {}
    library::ContextOptions library_options() const {
      return {options.ordinal, stream.get(), options.deterministic, options.allow_tf32,
              [pool = memory] { pool->trim(); }};
    }
    static const DeviceOptions& require(const DeviceOptions& options) {
      const int count = runtime::device_count();
      if (count == 0) throw CudaError("[cuda] there is no GPU to use: " + runtime::why_no_device());
      if (options.ordinal < 0 || options.ordinal >= count) {
        throw CudaError("[cuda] there is no GPU " + std::to_string(options.ordinal) + "; there are " +
                        std::to_string(count) + ", numbered from 0");
      }
      require_kernels(runtime::properties(options.ordinal));
      return options;
    }
    static void require_kernels(const runtime::Properties& gpu) {
      const int capability = 10 * gpu.major + gpu.minor;
      const std::vector<int> compiled = runtime::compiled_capabilities();
      if (can_run(capability, compiled)) return;
      throw CudaError("[cuda] " + gpu.name + " has compute capability " + capability_text(capability) +
                      ", and this build has kernels for " + capabilities_text(compiled) +
                      "; add it to DFORMER_CUDA_ARCHITECTURES, if your CUDA toolkit still knows it");
    }
    DeviceOptions options;
    bool tensor_cores;
    std::shared_ptr<MemoryPool> memory;
    Staging staging;
    OwnedStream stream;
    library::OwnedContext libraries;
    SideStreams side_streams;
  };

  std::shared_ptr<State> state_;
};

/// While one lives, the memory of a device's new tensors comes from a pool of their own, which lives as long
/// as they do.
class SeparateMemory {
 public:
  explicit SeparateMemory(const Device& device) : device_(device), before_(device.state_->memory) {
    before_->trim();  // or what it keeps for later would be missing
    device.state_->memory = std::make_shared<MemoryPool>(device.options().ordinal);
  }
  SeparateMemory(const SeparateMemory&) = delete;
  SeparateMemory& operator=(const SeparateMemory&) = delete;
  ~SeparateMemory() { device_.state_->memory = before_; }

 private:
  Device device_;
  std::shared_ptr<MemoryPool> before_;
};

/// While one lives, the parts of `Device::concurrently` go on side by side. For Captured: parts must not
/// replay graphs, which were recorded with one set of libraries and their workspaces.
class SideBySide {
 public:
  explicit SideBySide(const Device& device)
      : device_(device), before_(std::exchange(device.state_->side_streams.side_by_side, true)) {}
  SideBySide(const SideBySide&) = delete;
  SideBySide& operator=(const SideBySide&) = delete;
  ~SideBySide() { device_.state_->side_streams.side_by_side = before_; }

 private:
  Device device_;
  bool before_;
};

/// The device that a network is made on when none is named: GPU 0. It is made at the first call, and never
/// destroyed: by the end of the program the libraries that it would be destroyed by may be gone.
inline const Device& default_device() {
  static const Device& device = *new Device;
  return device;
}

}  // namespace dformer::cuda
