#pragma once

#include <string>

#include <CLI/CLI.hpp>

#if defined(DFORMER_HAS_CUDA)
#include <dformer/cuda.hpp>
#endif
#include <dformer/backend/cpu/cpu.hpp>

namespace dformer::programs {

/// Waits until what was started on a device is done: on a CPU it is when an operation returns.
inline void wait_for(const cpu::Device&) {}
#if defined(DFORMER_HAS_CUDA)
inline void wait_for(const cuda::Device& device) {
  device.synchronize();
}
#endif

/// What a program wants of the device beside that.
struct DeviceWishes {
  cpu::DeviceOptions cpu{};
  bool trains = false;  ///< optimisers change weights, which half and bfloat16 alone are too coarse for
  bool deterministic = false;  ///< the same bits at each run, on a GPU too
};

/// Where a program computes and in what arithmetic: --device, --precision, --threads.
struct BackendOptions {
  std::string device = "cpu";
  std::string precision = "float32";
  int threads = 0;

  void add_to(CLI::App& app) {
    add_device_to(app);
    app.add_option("--threads", threads, "of a CPU; 0 for all processors")
        ->check(CLI::NonNegativeNumber)
        ->capture_default_str();
  }
  void add_device_to(CLI::App& app) {
    app.add_option("--device", device, "cpu; or cuda, an NVIDIA GPU, the first or cuda:N")
        ->check(CLI::Validator(
            [](const std::string& word) { return is_device(word) ? "" : "cpu, cuda or cuda:N expected"; },
            "DEVICE"))
        ->capture_default_str();
    app.add_option("--precision", precision, "of activations and weights; on a CPU float32 alone")
        ->check(CLI::IsMember({"float32", "float16", "bfloat16"}))
        ->capture_default_str();
  }

  bool on_gpu() const { return device != "cpu"; }

  /// body.template operator()<B>(device) with the backend that was asked for. This is the one place where a
  /// program's words become types. Throws: ArgumentError where this build or this machine has no such thing.
  template <class Body>
  auto run(const Body& body, DeviceWishes wishes = {}) const {
    if (!on_gpu()) {
      if (precision != "float32") {
        throw_argument_error("[--precision " + precision + "] a CPU computes in float32; " + precision +
                             " needs --device cuda");
      }
      wishes.cpu.threads = threads;
      return body.template operator()<Cpu<>>(cpu::Device(wishes.cpu));
    }
#if defined(DFORMER_HAS_CUDA)
    const cuda::Device gpu(
        {.ordinal = ordinal(), .master_weights = wishes.trains, .deterministic = wishes.deterministic});
    if (precision == "float16") return body.template operator()<Cuda<half>>(gpu);
    if (precision == "bfloat16") return body.template operator()<Cuda<bfloat16>>(gpu);
    return body.template operator()<Cuda<float>>(gpu);
#else
    throw_argument_error(
        "[--device " + device +
        "] this program was built without CUDA; install the CUDA toolkit with cuBLASLt and cuDNN, "
        "and build it anew" +
        (wishes.trains ? " with -DDFORMER_CUDA_TRAINING=ON" : ""));
#endif
  }

 private:
  static bool is_device(const std::string& word) {
    if (word == "cpu" || word == "cuda") return true;
    const std::string prefix = "cuda:";
    return word.size() > prefix.size() && word.size() < prefix.size() + 4 && word.starts_with(prefix) &&
           word.find_first_not_of("0123456789", prefix.size()) == word.npos;
  }
  int ordinal() const {
    const std::size_t colon = device.find(':');
    return colon == device.npos ? 0 : std::stoi(device.substr(colon + 1));
  }
};

}  // namespace dformer::programs
