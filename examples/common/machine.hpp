#pragma once

#include <cstddef>
#include <fstream>
#include <string>
#include <thread>

#include <nlohmann/json.hpp>
#include <sys/resource.h>

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

inline nlohmann::ordered_json describe_machine(const cpu::Device& device) {
  return {{"processor", processor_name()},
          {"processors", std::thread::hardware_concurrency()},
          {"instruction_set", std::string(cpu::to_string(device.isa()))},
          {"threads", device.threads()},
          {"precision", "float32"}};
}

/// "Intel(R) Xeon(R) Processor, processors 2; avx512, threads 2, float32"
inline std::string machine_text(const nlohmann::ordered_json& machine) {
  const auto text = [&](const char* key) { return machine.at(key).get<std::string>(); };
  return text("processor") + ", processors " + machine.at("processors").dump() + "; " +
         text("instruction_set") + ", threads " + machine.at("threads").dump() + ", " + text("precision");
}

}  // namespace dformer::programs
