#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <sys/wait.h>

#include "images/image_test.hpp"

namespace dformer::testing {

inline std::string read_text(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

/// What a program said and how it ended.
struct Outcome {
  int exit_code = -1;
  std::string out;
  std::string err;
};

/// Runs a program with these arguments, its output going through files of `folder`.
inline Outcome run(const TemporaryFolder& folder, const std::string& program,
                   const std::vector<std::string>& arguments) {
  std::string command = "'" + program + "'";
  for (const std::string& argument : arguments) command += " '" + argument + "'";
  command += " > '" + (folder / "stdout.txt").string() + "' 2> '" + (folder / "stderr.txt").string() + "'";
  const int status = std::system(command.c_str());
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, read_text(folder / "stdout.txt"),
          read_text(folder / "stderr.txt")};
}

}  // namespace dformer::testing
