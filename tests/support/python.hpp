#pragma once

#include <array>
#include <cstdio>
#include <string>

#include <gtest/gtest.h>
#include <sys/wait.h>

namespace dformer::testing {

/// What a command printed, on both streams, and how it ended.
struct Printed {
  int exit_code = -1;
  std::string text;
};

inline Printed run_command(const std::string& command) {
  Printed printed;
  std::FILE* pipe = ::popen((command + " 2>&1").c_str(), "r");
  if (pipe == nullptr) return printed;
  std::array<char, 4096> part;
  while (const std::size_t size = std::fread(part.data(), 1, part.size(), pipe)) {
    printed.text.append(part.data(), size);
  }
  const int status = ::pclose(pipe);
  printed.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return printed;
}

/// Whether `python3` finds these modules, such as "numpy, torch". They are not imported, which takes seconds.
inline bool python_has(const std::string& modules) {
  return run_command(
             "python3 -c 'import importlib.util, sys; sys.exit(not all(importlib.util.find_spec(m.strip()) "
             "for m in sys.argv[1].split(\",\")))' '" +
             modules + "'")
             .exit_code == 0;
}

}  // namespace dformer::testing
