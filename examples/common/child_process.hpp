#pragma once

#include <cerrno>
#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string>
#include <system_error>

#include <sys/wait.h>
#include <unistd.h>

namespace dformer::programs {

/// Calls `work`, which returns text, in a process of its own and returns the text. To be called before this
/// process starts a thread. Throws: std::runtime_error with the text of what `work` threw, or with the signal
/// that ended it.
template <class Work>
std::string run_in_child(const Work& work) {
  int ends[2];
  if (::pipe(ends) != 0) throw std::system_error(errno, std::generic_category(), "pipe");
  std::fflush(nullptr);
  const pid_t child = ::fork();
  if (child < 0) throw std::system_error(errno, std::generic_category(), "fork");
  if (child == 0) {
    ::close(ends[0]);
    std::string text;
    int code = 0;
    try {
      text = work();
    } catch (const std::exception& error) {
      text = error.what();
      code = 1;
    }
    for (std::size_t at = 0; at < text.size();) {
      const ssize_t written = ::write(ends[1], text.data() + at, text.size() - at);
      if (written < 0) ::_exit(2);
      at += static_cast<std::size_t>(written);
    }
    ::_exit(code);  // nothing of the parent's is flushed or destroyed twice
  }
  ::close(ends[1]);
  std::string text;
  char buffer[4096];
  for (ssize_t count; (count = ::read(ends[0], buffer, sizeof buffer)) > 0;)
    text.append(buffer, static_cast<std::size_t>(count));
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return text;
  if (WIFEXITED(status)) throw std::runtime_error(text);
  throw std::runtime_error("the measurement was ended by signal " + std::to_string(WTERMSIG(status)) +
                           "; was there enough memory?");
}

}  // namespace dformer::programs
