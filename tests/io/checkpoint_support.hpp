#pragma once

#include <filesystem>
#include <fstream>
#include <ostream>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include <dformer/io/checkpoint_error.hpp>

namespace dformer::testing {

/// A file that exists as long as this object.
class TemporaryFile {
 public:
  explicit TemporaryFile(std::string_view content, const std::string& name = "file") {
    const ::testing::TestInfo* test = ::testing::UnitTest::GetInstance()->current_test_info();
    path_ = std::filesystem::path(::testing::TempDir()) /
            (std::string("dformer_") + test->test_suite_name() + "_" + test->name() + "_" + name);
    std::ofstream(path_, std::ios::binary) << content;
  }
  ~TemporaryFile() { std::filesystem::remove(path_); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// Runs `action` and returns the error it must throw.
template <class Action>
CheckpointError expect_checkpoint_error(Action action) {
  try {
    action();
  } catch (const CheckpointError& error) {
    return error;
  }
  ADD_FAILURE() << "no CheckpointError was thrown";
  return CheckpointError(CheckpointError::Kind::io_failure, "", 0, "no error");
}

}  // namespace dformer::testing

namespace dformer {

/// How GoogleTest prints a kind.
inline void PrintTo(CheckpointError::Kind kind, std::ostream* out) {
  *out << to_string(kind);
}

}  // namespace dformer
