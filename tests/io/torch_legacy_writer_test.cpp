#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "checkpoint_support.hpp"
#include "everything.hpp"
#include "support/python.hpp"
#include "written_files.hpp"
#include <dformer/io/byte_reader.hpp>
#include <dformer/io/checkpoint.hpp>
#include <dformer/io/record_source.hpp>
#include <dformer/io/torch_legacy_writer.hpp>
#include <dformer/io/torch_writer.hpp>

namespace dformer {
namespace {

using testing::content_of;
using testing::everything;
using testing::files_beside;
using testing::FullDisk;
using testing::TemporaryFile;

std::string elements_of(const TensorRecord& record) {
  std::string bytes;
  record_source(record).content([&](std::span<const std::byte> piece) { bytes += io::as_text(piece); });
  return bytes;
}

TEST(TorchLegacyWriter, OurReaderReadsWhatIsInAnArchive) {
  const TemporaryFile archive(""), stream("before", "stream");
  write_torch_checkpoint(archive.path(), everything());
  write_torch_legacy(stream.path(), everything());
  const Checkpoint expected = read_checkpoint(archive.path());
  const Checkpoint actual = read_checkpoint(stream.path());
  EXPECT_EQ(actual.format(), io::FileFormat::torch_legacy);
  EXPECT_EQ(actual.selected(), "model");
  ASSERT_EQ(actual.tensors().size(), expected.tensors().size());
  for (std::size_t i = 0; i < actual.tensors().size(); ++i) {
    const TensorRecord& a = actual.tensors()[i];
    const TensorRecord& b = expected.tensors()[i];
    EXPECT_EQ(a.name, b.name);
    EXPECT_EQ(a.dtype, b.dtype) << a.name;
    EXPECT_EQ(a.shape, b.shape) << a.name;
    EXPECT_EQ(elements_of(a), elements_of(b)) << a.name;
  }
  EXPECT_EQ(actual.metadata(), expected.metadata());
}

TEST(TorchLegacyWriter, EqualContentsGiveEqualFiles) {
  const TemporaryFile file(""), again("", "again");
  write_torch_legacy(file.path(), everything());
  write_torch_legacy(again.path(), everything());
  EXPECT_TRUE(content_of(file.path()) == content_of(again.path()));
}

TEST(TorchLegacyWriter, AFailureLeavesTheOldFileAndNothingElse) {
  const TemporaryFile file("before");
  EXPECT_THROW(write_torch_legacy(file.path(), TorchDict{{"twice", 1}, {"twice", 2}}), ArgumentError);
  EXPECT_THROW(write_torch_legacy(
                   file.path(), TorchDict{{"w", TensorSource{DType::float32, {2}, [](const ByteSink&) {}}}}),
               ArgumentError);
  const TorchDict large{{"w", tensor_of({1 << 16}, std::vector<float>(1 << 16))}};
  for (const rlim_t bytes : {10u, 1000u, 262'144u}) {
    const FullDisk disk(bytes);
    EXPECT_THROW(write_torch_legacy(file.path(), large), FileError) << bytes;
  }
  EXPECT_EQ(content_of(file.path()), "before");
  EXPECT_EQ(files_beside(file.path()), 1u);
}

TEST(TorchLegacyWriter, RealTorchReadsWhatItReadsInAnArchive) {
  if (!testing::python_has("torch"))
    GTEST_SKIP() << "python3 with torch is missing, so PyTorch itself was not asked";
  const TemporaryFile archive(""), stream("", "stream");
  write_torch_checkpoint(archive.path(), everything());
  write_torch_legacy(stream.path(), everything());
  const testing::Printed printed =
      testing::run_command("python3 '" DFORMER_TEST_SCRIPTS "/torch_reads.py' tree '" +
                           archive.path().string() + "' '" + stream.path().string() + "'");
  ASSERT_EQ(printed.exit_code, 0) << printed.text;
  const std::size_t half = printed.text.size() / 2;
  EXPECT_EQ(printed.text.substr(half), printed.text.substr(0, half));
  EXPECT_NE(printed.text.find("model.brain tensor bfloat16 (1,2)"), std::string::npos);
}

}  // namespace
}  // namespace dformer
