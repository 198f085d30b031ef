#pragma once

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include <dformer/io/checkpoint_error.hpp>

namespace dformer::io {

/// A file that is written piece by piece under another name beside its own, and takes its place, synced, by
/// commit(). Without commit() nothing of it remains.
class AtomicFile {
 public:
  /// Throws: CheckpointError(io_failure); so do write and commit.
  explicit AtomicFile(const std::filesystem::path& target) : target_(target.string()) {
    std::error_code unknown;
    const std::filesystem::file_status status = std::filesystem::status(target, unknown);
    if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status)) {
      fail(0, "exists and is no ordinary file; choose another name");  // renaming would replace a device
    }
    static std::atomic<unsigned> count{0};
    partial_ = target_ + ".partial-" + std::to_string(::getpid()) + "-" + std::to_string(count++);
    descriptor_ = ::open(partial_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor_ < 0) fail(errno, "cannot be created");
  }
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  ~AtomicFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
    if (!committed_) ::unlink(partial_.c_str());
  }

  void write(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
      const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) fail(errno, "cannot be written");
      bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
  }

  void commit() {
    if (::fsync(descriptor_) != 0) fail(errno, "cannot be synced");
    if (::close(std::exchange(descriptor_, -1)) != 0) fail(errno, "cannot be closed");
    if (::rename(partial_.c_str(), target_.c_str()) != 0) fail(errno, "cannot be put in place");
    committed_ = true;
    sync_folder();
  }

 private:
  /// The new name is safe on the disk only when its folder is; some file systems cannot sync folders, and
  /// need not.
  void sync_folder() const {
    const std::filesystem::path parent = std::filesystem::path(target_).parent_path();
    const int folder = ::open(parent.empty() ? "." : parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) return;
    ::fsync(folder);
    ::close(folder);
  }

  [[noreturn]] void fail(int error, std::string what) const {
    if (error != 0) what += ": " + std::generic_category().message(error);
    if (error == ENOENT) what += "; create the folder first";
    throw_checkpoint_error(CheckpointError::Kind::io_failure, target_, CheckpointError::no_offset,
                           what + ". What was there before is unchanged");
  }

  std::string target_;
  std::string partial_;
  int descriptor_ = -1;
  bool committed_ = false;
};

}  // namespace dformer::io
