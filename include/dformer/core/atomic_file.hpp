#pragma once

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include <dformer/core/error.hpp>

namespace dformer {

/// A file that is written piece by piece under another name beside its own, and takes its place, synced, by
/// commit(). Without commit() nothing of it remains, and what was there before is unchanged.
class AtomicFile {
 public:
  /// Throws: FileError; so do write and commit.
  explicit AtomicFile(const std::filesystem::path& target) : target_(target.string()) {
    std::error_code unknown;
    const std::filesystem::file_status status = std::filesystem::status(target, unknown);
    if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status)) {
      // Renaming onto a device such as /dev/null would replace it.
      fail(0, "exists and is not an ordinary file; pass the name of a file");
    }
    static std::atomic<unsigned> count{0};
    do {  // in a container every process may have the number of one that was killed while it wrote
      partial_ = target_ + ".partial-" + std::to_string(::getpid()) + "-" + std::to_string(count++);
      descriptor_ = ::open(partial_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    } while (descriptor_ < 0 && errno == EEXIST);
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

  /// Replaces bytes written before, `offset` from the start of the file: a sum that was not known when its
  /// place came.
  void rewrite(std::uint64_t offset, std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
      const ssize_t written = ::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) fail(errno, "cannot be written");
      bytes = bytes.subspan(static_cast<std::size_t>(written));
      offset += static_cast<std::uint64_t>(written);
    }
  }

  void commit() {
    if (::fsync(descriptor_) != 0 && errno != EINVAL) fail(errno, "cannot be written to the disk");
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

  static std::string_view advice(int error) {
    switch (error) {
      case 0:
        return "";
      case ENOENT:
      case ENOTDIR:
        return "; create the folder first";
      case EACCES:
      case EPERM:
      case EROFS:
        return "; choose a folder that you may write to";
      case ENOSPC:
      case EDQUOT:
      case EFBIG:
        return "; free space or write elsewhere, nothing was kept";
      default:
        return "; nothing was written";
    }
  }

  [[noreturn]] void fail(int error, std::string_view what) const {
    std::string text = "[" + target_;
    (text += "] ") += what;
    if (error != 0) (text += ": ") += std::generic_category().message(error);
    throw FileError(text += advice(error));
  }

  std::string target_;
  std::string partial_;
  int descriptor_ = -1;
  bool committed_ = false;
};

/// Writes a file so that it is either as before or complete. Throws: FileError.
inline void write_file_atomically(const std::filesystem::path& file, std::span<const std::byte> bytes) {
  AtomicFile whole(file);
  whole.write(bytes);
  whole.commit();
}

/// The same for text.
inline void write_file_atomically(const std::filesystem::path& file, std::string_view text) {
  write_file_atomically(file, std::as_bytes(std::span(text.data(), text.size())));
}

}  // namespace dformer
