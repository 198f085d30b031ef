#pragma once

#include <cstddef>
#include <cstdio>
#include <string>

#include <unistd.h>

namespace dformer::programs {

/// One line on stderr that is drawn over and over; nothing where stderr is no terminal.
class ProgressBar {
 public:
  explicit ProgressBar(std::size_t total)
      : total_(total), shown_(total > 1 && ::isatty(STDERR_FILENO) == 1) {}
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;
  ~ProgressBar() { clear(); }

  /// `elapsed_ms` since the first item was begun; `name` is the item that was finished last.
  void update(std::size_t done, double elapsed_ms, const std::string& name) const {
    if (!shown_ || done == 0) return;
    const std::size_t filled = width * done / total_;
    const std::string bar = std::string(filled, '#') + std::string(width - filled, '.');
    const double each = elapsed_ms / static_cast<double>(done);
    const auto left = static_cast<long>(each * static_cast<double>(total_ - done) / 1000.0 + 0.5);
    std::fprintf(stderr, "\r\033[K[%s] %zu/%zu  %.0f ms each  %ld:%02ld left  %.30s", bar.c_str(), done,
                 total_, each, left / 60, left % 60, name.c_str());
    std::fflush(stderr);
  }

  /// Makes room for a line of text; the next update draws the bar again below it.
  void clear() const {
    if (shown_) std::fputs("\r\033[K", stderr);
  }

 private:
  static constexpr std::size_t width = 30;
  std::size_t total_;
  bool shown_;
};

}  // namespace dformer::programs
