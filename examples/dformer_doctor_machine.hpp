#pragma once

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>
#include <string>
#include <system_error>

#include <opencv2/core/version.hpp>
#include <sys/utsname.h>
#include <unistd.h>
#if defined(DFORMER_HAS_ZLIB)
#include <zlib.h>
#endif

#include "common/machine.hpp"
#include <dformer/core/finding.hpp>
#include <dformer/version.hpp>

/// What a machine has of what the programs use. Files of the system are read and nothing is started.
namespace dformer::programs {

namespace machine_findings {

inline constexpr FindingKind slow_instructions{
    "slow_instructions", Severity::warning, "neither AVX2 nor AVX-512 is there to be used",
    "networks run several times slower; choose another machine, or "
    "let the virtual one pass its processor's features on"};
inline constexpr FindingKind thread_quota{
    "thread_quota", Severity::warning, "this process may use fewer processors than it sees",
    "pass that number as --threads, or the threads wait for each other"};
inline constexpr FindingKind little_memory{"little_memory", Severity::warning,
                                           "less than 2 GB of memory are free",
                                           "enough to label images with the small networks, not to train"};
inline constexpr FindingKind no_zlib{
    "no_zlib", Severity::note, "built without zlib",
    "compressed checkpoints are refused; install zlib1g-dev and build again"};
inline constexpr FindingKind little_disk{"little_disk", Severity::warning,
                                         "less than 2 GB are free on the disk",
                                         "a run keeps six checkpoints; free space or write elsewhere"};
inline constexpr FindingKind unwritable{"unwritable_folder", Severity::error,
                                        "the folder cannot be written to", "choose another folder"};

inline constexpr const FindingKind* all[] = {&slow_instructions, &thread_quota, &little_memory,
                                             &no_zlib,           &little_disk,  &unwritable};

}  // namespace machine_findings

namespace detail {

inline constexpr double gigabyte = 1e9;

inline std::string gigabytes(double bytes) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f GB", bytes / gigabyte);
  return text;
}

inline std::string first_line(const std::filesystem::path& file) {
  std::ifstream stream(file);
  std::string line;
  std::getline(stream, line);
  return line;
}

/// A size in bytes by its name in /proc/meminfo.
inline std::optional<double> memory(const std::string& name) {
  std::ifstream info("/proc/meminfo");
  for (std::string line; std::getline(info, line);) {
    if (line.starts_with(name + ":")) return std::stod(line.substr(name.size() + 1)) * 1024;
  }
  return std::nullopt;
}

/// What the container may use at most; none where there is no such limit.
inline std::optional<double> memory_limit() {
  std::istringstream text(first_line("/sys/fs/cgroup/memory.max"));
  double bytes = 0;
  if (text >> bytes) return bytes;
  return std::nullopt;
}
inline std::optional<double> processor_limit() {
  std::istringstream text(first_line("/sys/fs/cgroup/cpu.max"));
  double share = 0;
  double period = 0;
  if (text >> share >> period && period > 0) return share / period;
  return std::nullopt;
}

/// The features of the processor that matter to the kernels, now or one day.
inline std::string processor_features() {
  std::string text;
#if defined(__x86_64__)
  __builtin_cpu_init();
  const auto add = [&](bool has, const char* name) {
    if (has) text.append(text.empty() ? "" : " ").append(name);
  };
  add(__builtin_cpu_supports("sse4.2"), "sse4.2");
  add(__builtin_cpu_supports("avx"), "avx");
  add(__builtin_cpu_supports("avx2"), "avx2");
  add(__builtin_cpu_supports("fma"), "fma");
  add(__builtin_cpu_supports("avx512f"), "avx512f");
  add(__builtin_cpu_supports("avx512dq"), "avx512dq");
  add(__builtin_cpu_supports("avx512bw"), "avx512bw");
  add(__builtin_cpu_supports("avx512vl"), "avx512vl");
  add(__builtin_cpu_supports("avx512vnni"), "avx512vnni");
  add(__builtin_cpu_supports("avx512bf16"), "avx512bf16");
#endif
  return text.empty() ? "no list for this architecture" : text;
}

inline std::string libraries() {
#if defined(__clang__)
  std::string text = "clang " __clang_version__;
#else
  std::string text = "g++ " __VERSION__;
#endif
  text += ", OpenCV " CV_VERSION ", ";
#if defined(DFORMER_HAS_ZLIB)
  return text + "zlib " + ::zlibVersion();
#else
  return text + "without zlib";
#endif
}

/// "NVIDIA H100; NVRM version: … 550.54"
inline std::string graphics() {
  const std::string driver = first_line("/proc/driver/nvidia/version");
  if (driver.empty()) return "no NVIDIA driver";
  std::string text;
  std::error_code error;
  for (std::filesystem::directory_iterator entry("/proc/driver/nvidia/gpus", error), end;
       !error && entry != end; entry.increment(error)) {
    std::ifstream information(entry->path() / "information");
    for (std::string line; std::getline(information, line);) {
      const std::size_t start = line.find_first_not_of(" \t", line.find(':') + 1);
      if (line.starts_with("Model:") && start != line.npos) text += line.substr(start) + "; ";
    }
  }
  return text + driver;
}

/// The folder itself, or the nearest one above it that there is.
inline std::filesystem::path existing_folder(std::filesystem::path folder) {
  std::error_code ignored;
  folder = std::filesystem::absolute(folder);
  while (!std::filesystem::exists(folder, ignored) && folder.has_relative_path())
    folder = folder.parent_path();
  return folder;
}

inline void check_disk(const std::filesystem::path& out, Checkup& checkup) {
  const std::filesystem::path folder = existing_folder(out);
  std::error_code error;
  if (!std::filesystem::is_directory(folder, error) || ::access(folder.c_str(), W_OK) != 0)
    checkup.find(machine_findings::unwritable, {folder.string(), 0, {}});
  const std::filesystem::space_info space = std::filesystem::space(folder, error);
  if (error) return;
  const auto available = static_cast<double>(space.available);
  const std::string text =
      gigabytes(available) + " of " + gigabytes(static_cast<double>(space.capacity)) + " free";
  checkup.fact("disk", text + " at " + folder.string());
  if (available < 2 * gigabyte) checkup.find(machine_findings::little_disk, {folder.string(), 0, text});
}

inline void check_memory(Checkup& checkup) {
  const auto total = memory("MemTotal");
  const auto available = memory("MemAvailable");
  if (!total || !available) return;
  std::string text = gigabytes(*available) + " of " + gigabytes(*total) + " free";
  double usable = *available;
  if (const auto limit = memory_limit()) {
    text += "; the container may use " + gigabytes(*limit);
    usable = std::min(usable, *limit);
  }
  checkup.fact("memory", text);
  if (usable < 2 * gigabyte) checkup.find(machine_findings::little_memory, {{}, 0, text});
}

}  // namespace detail

/// Checks the machine that this runs on, and the disk of a folder where one is given.
inline Checkup check_machine(const std::filesystem::path& out) {
  Checkup checkup{"machine"};
  utsname system{};
  ::uname(&system);
  checkup.fact("dformer", std::string(version) + "; " + detail::libraries());
  checkup.fact("system", std::string(system.sysname) + " " + system.release + " " + system.machine);
  const auto processors = std::thread::hardware_concurrency();
  checkup.fact("processor", processor_name() + ", processors " + std::to_string(processors));
  checkup.fact("features", detail::processor_features());
  const cpu::Isa isa = cpu::best_isa();
  checkup.fact("kernels", std::string(cpu::to_string(isa)) + ", chosen at run time");
#if defined(__x86_64__)
  if (isa == cpu::Isa::baseline)
    checkup.find(machine_findings::slow_instructions, {{}, 0, detail::processor_features()});
#endif
  const auto limit = detail::processor_limit();
  if (limit && *limit < processors) {
    char text[64];
    std::snprintf(text, sizeof text, "%.1f of %u processors", *limit, processors);
    checkup.find(machine_findings::thread_quota, {{}, 0, text});
  }
  detail::check_memory(checkup);
  checkup.fact("graphics", detail::graphics());
#if !defined(DFORMER_HAS_ZLIB)
  checkup.find(machine_findings::no_zlib, {});
#endif
  if (!out.empty()) detail::check_disk(out, checkup);
  checkup.sort();
  return checkup;
}

}  // namespace dformer::programs
