#pragma once

#include <atomic>
#include <csignal>

#include <unistd.h>

namespace dformer::programs {

/// While it lives, the first SIGINT (Ctrl-C) or SIGTERM only sets a flag, so that a program can end its step
/// and save; the second ends the process at once. There may be one at a time.
class StopSignals {
 public:
  StopSignals() {
    flag() = false;
    struct sigaction action {};
    action.sa_handler = handle;
    action.sa_flags = SA_RESTART;
    ::sigaction(SIGINT, &action, &interrupt_);
    ::sigaction(SIGTERM, &action, &terminate_);
  }
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;
  ~StopSignals() {
    ::sigaction(SIGINT, &interrupt_, nullptr);
    ::sigaction(SIGTERM, &terminate_, nullptr);
  }

  const std::atomic<bool>& stop() const { return flag(); }
  /// What a shell says of a program that the signal ended: 130 for SIGINT, 143 for SIGTERM.
  int exit_code() const { return 128 + which(); }

 private:
  static std::atomic<bool>& flag() {
    static std::atomic<bool> value{false};
    return value;
  }
  static std::atomic<int>& which() {
    static std::atomic<int> value{SIGINT};
    return value;
  }
  static_assert(std::atomic<bool>::is_always_lock_free && std::atomic<int>::is_always_lock_free,
                "a signal handler may not wait for a lock");

  static void handle(int signal) {
    if (flag().load()) ::_exit(128 + signal);
    which() = signal;
    flag() = true;
  }

  struct sigaction interrupt_ {};
  struct sigaction terminate_ {};
};

}  // namespace dformer::programs
