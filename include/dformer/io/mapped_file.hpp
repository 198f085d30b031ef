#pragma once

#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <dformer/io/checkpoint_error.hpp>

namespace dformer::io {

/// A whole file in memory without copying it: pages are read when touched, and shared with other processes.
/// The file must not be cut shorter while it is mapped (the operating system then raises SIGBUS).
class MappedFile {
 public:
  /// Throws: CheckpointError(io_failure) if the path cannot be opened, is not a regular file, or cannot be
  /// mapped.
  explicit MappedFile(const std::filesystem::path& path) : path_(path.string()) {
    const Descriptor file{::open(path_.c_str(), O_RDONLY | O_CLOEXEC)};
    if (file.value < 0) fail(errno, "cannot open the file");
    struct stat status {};
    if (::fstat(file.value, &status) != 0) fail(errno, "cannot read the file's size");
    if (!S_ISREG(status.st_mode)) fail(0, "a checkpoint file was expected, this is a folder or a device");
    size_ = static_cast<std::size_t>(status.st_size);
    if (size_ == 0) return;  // an empty mapping is an error, an empty file is not
    void* address = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file.value, 0);
    if (address == MAP_FAILED) fail(errno, "cannot map " + std::to_string(size_) + " bytes into memory");
    address_ = address;
    ::madvise(address_, size_, MADV_WILLNEED);
  }

  MappedFile(MappedFile&& other) noexcept
      : path_(std::move(other.path_)),
        address_(std::exchange(other.address_, nullptr)),
        size_(std::exchange(other.size_, 0)) {}
  MappedFile& operator=(MappedFile&& other) noexcept {
    std::swap(path_, other.path_);
    std::swap(address_, other.address_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~MappedFile() {
    if (address_ != nullptr) ::munmap(address_, size_);
  }

  std::span<const std::byte> bytes() const { return {static_cast<const std::byte*>(address_), size_}; }
  const std::string& path() const { return path_; }

 private:
  struct Descriptor {
    int value;
    ~Descriptor() {
      if (value >= 0) ::close(value);
    }
  };

  [[noreturn]] void fail(int error, std::string what) const {
    if (error != 0) what += ": " + std::generic_category().message(error);
    throw_checkpoint_error(CheckpointError::Kind::io_failure, path_, CheckpointError::no_offset, what);
  }

  std::string path_;
  void* address_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace dformer::io
