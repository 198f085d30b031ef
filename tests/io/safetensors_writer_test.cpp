#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "byte_builder.hpp"
#include "checkpoint_support.hpp"
#include "written_files.hpp"
#include <dformer/io/checkpoint.hpp>
#include <dformer/io/safetensors_writer.hpp>

namespace dformer {
namespace {

using testing::content_of;
using testing::files_beside;
using testing::TemporaryFile;

/// A tensor of these bytes.
TensorSource tensor(DType dtype, const Shape& shape, const std::string& content) {
  return {dtype, shape, [content](const ByteSink& sink) { sink(testing::bytes_of(content)); }};
}

const std::vector<NamedTensor> tensors{
    {"half \"quoted\"", tensor(DType::float16, {3}, std::string("\0\x3c\0\xc0\0\0", 6))},
    {"count", tensor(DType::int64, {}, std::string("\5\0\0\0\0\0\0\0", 8))},
    {"none", tensor(DType::float32, {0, 2}, "")}};

TEST(SafetensorsWriter, WritesWhatTheReaderReads) {
  const TemporaryFile file("before");
  write_safetensors(file.path(), tensors, {{"author", "a \\ b\n"}});
  const Checkpoint checkpoint = read_checkpoint(file.path());
  EXPECT_EQ(checkpoint.text("author"), "a \\ b\n");
  ASSERT_EQ(checkpoint.tensors().size(), 3u);
  EXPECT_EQ(checkpoint.tensors()[0].name, "count") << "wider elements first";
  EXPECT_EQ(checkpoint.find("half \"quoted\"")->to_float32(), (std::vector<float>{1, -2, 0}));
  EXPECT_EQ(checkpoint.find("count")->to_int64(), (std::vector<std::int64_t>{5}));
  EXPECT_EQ(checkpoint.find("none")->shape, (Shape{0, 2}));
  for (const TensorRecord& tensor : checkpoint.tensors()) {
    const auto offset =
        static_cast<std::size_t>(tensor.storage.data() - checkpoint.tensors()[0].storage.data());
    EXPECT_EQ(offset % size_of(tensor.dtype), 0u) << tensor.name;
  }
  EXPECT_EQ(content_of(file.path())[0] % 8, 0) << "the data begin aligned";
}

TEST(SafetensorsWriter, AFailureLeavesTheOldFileAndNothingElse) {
  const TemporaryFile file("before");
  std::vector<NamedTensor> wrong = tensors;
  wrong[0].tensor.content = [](const ByteSink&) { throw std::runtime_error("the device is gone"); };
  EXPECT_THROW(write_safetensors(file.path(), wrong), std::runtime_error);
  for (const std::string content : {"", "less", "longer than that"}) {
    wrong[0].tensor = tensor(DType::float16, {1, 5}, content);
    EXPECT_THROW(write_safetensors(file.path(), wrong), ArgumentError);
  }
  EXPECT_THROW(write_safetensors(file.path(), std::vector<NamedTensor>{tensors[0], tensors[0]}),
               ArgumentError);
  EXPECT_THROW(write_safetensors(file.path(), std::vector<NamedTensor>{{"empty", {}}}), ArgumentError);
  for (const std::string& name : {std::string("w\n"), std::string("w\xff"), std::string(513, 'w')})
    EXPECT_THROW(write_safetensors(file.path(), std::vector<NamedTensor>{{name, tensor_of(1.0f)}}),
                 ArgumentError);
  EXPECT_EQ(content_of(file.path()), "before");
  EXPECT_EQ(files_beside(file.path()), 1u);
}

TEST(SafetensorsWriter, PlacesThatCannotBeWrittenAreNamed) {
  const auto write_to = [](const std::filesystem::path& path) -> std::string {
    try {
      write_safetensors(path, tensors);
    } catch (const FileError& error) {
      return error.what();
    }
    return "no error";
  };
  const std::string absent =
      write_to(std::filesystem::path(::testing::TempDir()) / "no such folder" / "x.safetensors");
  EXPECT_NE(absent.find("create the folder first"), std::string::npos) << absent;
  EXPECT_NE(write_to("/dev/null").find("not an ordinary file"), std::string::npos);
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/null"));
  EXPECT_NE(write_to(::testing::TempDir()).find("not an ordinary file"), std::string::npos);
}

}  // namespace
}  // namespace dformer
