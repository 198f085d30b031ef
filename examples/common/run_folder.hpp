#pragma once

#include <cstdio>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>
#include <utility>

#include "json.hpp"
#include "progress_bar.hpp"
#include <dformer/core/error.hpp>

namespace dformer::programs {

/// The folder of a training run: what it was told, what it says, its checkpoints.
class RunFolder {
 public:
  /// Makes the folder where it is missing, and removes files that a killed run left half-written. Throws:
  /// FileError for one that cannot be made or written to, and, unless `goes_on`, for one that holds a run.
  RunFolder(std::filesystem::path folder, bool goes_on) : folder_(std::move(folder)) {
    namespace fs = std::filesystem;
    std::error_code error;
    fs::create_directories(folder_, error);
    if (error) fail("the folder cannot be made: " + error.message() + "; choose another with --out");
    if (!goes_on && fs::exists(folder_ / "last.pth", error)) {
      fail("holds a run already; go on with --resume auto, or choose another folder with --out");
    }
    for (const auto& file : fs::directory_iterator(folder_, error)) {
      if (file.path().filename().string().find(".partial-") != std::string::npos) fs::remove(file, error);
    }
    log_.open(folder_ / "log.txt", std::ios::app);
    if (!log_) fail("cannot be written to; choose another folder with --out");
  }

  const std::filesystem::path& path() const { return folder_; }

  /// A line for the terminal and log.txt; the progress bar makes room for it. Throws: FileError.
  void say(const std::string& line, const ProgressBar* bar = nullptr) {
    if (bar != nullptr) bar->clear();
    std::printf("%s\n", line.c_str());
    std::fflush(stdout);
    note(line);
  }
  /// A text for log.txt alone. Throws: FileError.
  void note(const std::string& text) {
    log_ << text << '\n' << std::flush;
    if (!log_) fail("log.txt cannot be written; is the disk full? The checkpoints written before are whole");
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw FileError("[" + folder_.string() + "] " + what);
  }

  std::filesystem::path folder_;
  std::ofstream log_;
};

/// "2025-03-01T12:30:00+0100"
inline std::string local_time_text() {
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  ::localtime_r(&now, &local);
  char text[40];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S%z", &local);
  return text;
}

}  // namespace dformer::programs
