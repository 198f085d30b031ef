#pragma once

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include <dformer/data/image_error.hpp>

namespace dformer {
namespace detail {

/// A file under a temporary name in the folder of its final one; removed again unless it was published.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::filesystem::path& target) : target_(target), path_(target) {
    static std::atomic<unsigned> counter{0};
    path_ += ".partial-" + std::to_string(::getpid()) + "-" + std::to_string(counter++);
    descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor_ < 0) fail("cannot be created");
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
    if (!published_) ::unlink(path_.c_str());
  }

  void write(std::span<const std::uint8_t> bytes) {
    while (!bytes.empty()) {
      const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) fail("cannot be written");
      bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
  }

  void publish() {
    if (::fsync(descriptor_) != 0 && errno != EINVAL) fail("cannot be written to the disk");
    if (::close(std::exchange(descriptor_, -1)) != 0) fail("cannot be closed");
    if (::rename(path_.c_str(), target_.c_str()) != 0) fail("cannot be put in place");
    published_ = true;
  }

 private:
  [[noreturn]] void fail(const char* what) const {
    const int code = errno;
    std::string advice = "; nothing was written";
    if (code == ENOENT) advice = "; create the folder first";
    if (code == EACCES || code == EPERM || code == EROFS) advice = "; choose a folder that you may write to";
    if (code == ENOSPC || code == EDQUOT || code == EFBIG)
      advice = "; free space or write elsewhere, nothing was kept";
    throw_image_error(target_.string(), what + (": " + std::generic_category().message(code)) + advice);
  }

  std::filesystem::path target_;
  std::filesystem::path path_;
  int descriptor_ = -1;
  bool published_ = false;
};

}  // namespace detail

/// Writes a file so that it is either as before or complete: aside, synced and renamed. Throws: ImageError.
inline void write_file_atomically(const std::filesystem::path& file, std::span<const std::uint8_t> bytes) {
  std::error_code ignored;
  const std::filesystem::file_status status = std::filesystem::status(file, ignored);
  if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status)) {
    // Renaming onto a device such as /dev/null would replace it.
    throw_image_error(file.string(), "exists and is not an ordinary file; pass the name of a file");
  }
  detail::TemporaryFile temporary(file);
  temporary.write(bytes);
  temporary.publish();
}

}  // namespace dformer
