#pragma once

#include <cstddef>
#include <fstream>
#include <string>
#include <thread>

#include <nlohmann/json.hpp>
#include <sys/resource.h>

#if defined(DFORMER_HAS_CUDA)
#include <dformer/cuda.hpp>
#endif
#include <dformer/backend/cpu/device.hpp>

namespace dformer::programs {

/// The processor as the system names it; "unknown processor" where it does not.
inline std::string processor_name() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    const std::size_t colon = line.find(": ");
    if (colon != line.npos && line.starts_with("model name")) return line.substr(colon + 2);
  }
  return "unknown processor";
}

/// The most memory that this process has held at one time, in bytes.
inline std::size_t peak_process_bytes() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
#if defined(__APPLE__)
  return static_cast<std::size_t>(usage.ru_maxrss);
#else
  return static_cast<std::size_t>(usage.ru_maxrss) * 1024;
#endif
}

/// What computes the backend B, for reports.
template <class B>
nlohmann::ordered_json describe_machine(const cpu::Device& device) {
  return {{"processor", processor_name()},
          {"processors", std::thread::hardware_concurrency()},
          {"instruction_set", std::string(cpu::to_string(device.isa()))},
          {"threads", device.threads()},
          {"precision", "float32"}};
}

#if defined(DFORMER_HAS_CUDA)
template <class B>
nlohmann::ordered_json describe_machine(const cuda::Device& device) {
  const int ordinal = device.options().ordinal;
  const cuda::runtime::Properties gpu = cuda::runtime::properties(ordinal);
  return {{"processor", processor_name()},
          {"gpu", gpu.name},
          {"ordinal", ordinal},
          {"compute_capability", std::to_string(gpu.major) + "." + std::to_string(gpu.minor)},
          {"gpu_memory_bytes", gpu.memory_bytes},
          {"precision", std::string(to_string(cuda::element_type<typename B::Tensor::value_type>()))}};
}
#endif

/// "Intel(R) Xeon(R) Processor, processors 2; avx512, threads 2, float32", or of a GPU its name and
/// "float16".
inline std::string machine_text(const nlohmann::ordered_json& machine) {
  const auto text = [&](const char* key) { return machine.at(key).get<std::string>(); };
  if (machine.contains("gpu")) return text("gpu") + ", " + text("precision");
  return text("processor") + ", processors " + machine.at("processors").dump() + "; " +
         text("instruction_set") + ", threads " + machine.at("threads").dump() + ", " + text("precision");
}

}  // namespace dformer::programs
