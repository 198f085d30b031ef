#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "byte_builder.hpp"
#include "checkpoint_support.hpp"
#include "everything.hpp"
#include "support/python.hpp"
#include "written_files.hpp"
#include <dformer/io/checkpoint.hpp>
#include <dformer/io/jittor_pickle_writer.hpp>

namespace dformer {
namespace {

using testing::content_of;
using testing::files_beside;
using testing::FullDisk;
using testing::TemporaryFile;

/// One of everything, but for what NumPy lacks.
TorchDict all_of_numpy() {
  TorchDict tree = testing::everything();
  auto& model = std::get<TorchDict>(tree.entries.front().value.content());
  std::erase_if(model.entries, [](const TorchEntry& entry) { return entry.key == TorchKey("brain"); });
  return tree;
}

TEST(JittorPickleWriter, OurReaderReadsEveryBit) {
  const TemporaryFile file("before");
  write_jittor_pickle(file.path(), all_of_numpy());
  const Checkpoint checkpoint = read_checkpoint(file.path());
  EXPECT_EQ(checkpoint.format(), io::FileFormat::jittor_pickle);
  EXPECT_EQ(checkpoint.selected(), "model");
  const auto& tensors = checkpoint.tensors();
  const std::vector<DType> dtypes{DType::float32, DType::float16, DType::float64, DType::int64,
                                  DType::uint8,   DType::int32,   DType::int8,    DType::float32,
                                  DType::int64,   DType::boolean, DType::float32};
  ASSERT_EQ(tensors.size(), dtypes.size());
  for (std::size_t i = 0; i < dtypes.size(); ++i) EXPECT_EQ(tensors[i].dtype, dtypes[i]) << tensors[i].name;
  const float weight[] = {1, -2, 0.5f, 3e38f, 1e-45f, -0.0f};
  EXPECT_TRUE(std::ranges::equal(tensors[0].storage, std::as_bytes(std::span(weight))));
  EXPECT_EQ(tensors[0].shape, (Shape{2, 3}));
  EXPECT_EQ(tensors[1].to_float32(), (std::vector<float>{1, -2, 0x1p-24f}));
  EXPECT_EQ(tensors[8].shape, Shape{});
  EXPECT_EQ(tensors[8].to_int64(), (std::vector<std::int64_t>{7}));
  EXPECT_EQ(tensors[10].shape, (Shape{0, 4}));
  EXPECT_EQ(checkpoint.integer("wide"), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(checkpoint.number("tuple.1"), 0.999);
  EXPECT_EQ(checkpoint.text("by number.0"), "zero");
}

TEST(JittorPickleWriter, TheFileIsSealed) {
  const TemporaryFile file("");
  write_jittor_pickle(file.path(), all_of_numpy());
  std::string content = content_of(file.path());
  EXPECT_TRUE(content.ends_with("HCAJSLHD"));
  content[content.size() / 2] ^= 1;
  const TemporaryFile damaged(content, "damaged");
  EXPECT_EQ(testing::expect_checkpoint_error([&] { read_checkpoint(damaged.path()); }).kind(),
            CheckpointError::Kind::checksum_mismatch);
}

TEST(JittorPickleWriter, AFailureLeavesTheOldFileAndNothingElse) {
  const TemporaryFile file("before");
  EXPECT_THROW(write_jittor_pickle(file.path(), testing::everything()), ArgumentError) << "bfloat16";
  EXPECT_THROW(write_jittor_pickle(file.path(), TorchDict{{"twice", 1}, {"twice", 2}}), ArgumentError);
  const TorchDict large{{"w", tensor_of({1 << 16}, std::vector<float>(1 << 16))}};
  for (const rlim_t bytes : {10u, 1000u, 262'144u}) {
    const FullDisk disk(bytes);
    EXPECT_THROW(write_jittor_pickle(file.path(), large), FileError) << bytes;
  }
  EXPECT_EQ(content_of(file.path()), "before");
  EXPECT_EQ(files_beside(file.path()), 1u);
}

TEST(JittorPickleWriter, PythonReadsWhatJittorWould) {
  if (!testing::python_has("numpy")) GTEST_SKIP() << "python3 with numpy is missing, so Python was not asked";
  const TemporaryFile file("");
  write_jittor_pickle(
      file.path(),
      TorchDict{
          {"model", TorchDict{{"weight", tensor_of({2, 3}, std::vector<float>{1, -2, 0.5f, 3, 4, -0.0f})},
                              {"half", testing::bits(DType::float16, {2}, {0x3c00, 0xc000})},
                              {"count", tensor_of(std::int64_t{7})},
                              {"flag", tensor_of(true)},
                              {"none", tensor_of({0, 4}, std::vector<double>{})}}},
          {"epoch", 3},
          {"betas", TorchTuple{0.9, TorchList{1, TorchValue()}}}});
  // As jittor.load does: the sum is checked, the rest is unpickled.
  const testing::Printed printed = testing::run_command(
      "python3 -c \"import hashlib, pickle, sys; data = open(sys.argv[1], 'rb').read(); "
      "assert data[-8:] == b'HCAJSLHD' and hashlib.sha1(data[:-28]).digest() == data[-28:-8]; "
      "tree = pickle.loads(data[:-28]); "
      "[print(k, type(v).__name__, v.dtype, v.shape, v.tolist()) for k, v in tree.pop('model').items()]; "
      "print(tree)\" '" +
      file.path().string() + "'");
  EXPECT_EQ(printed.text,
            "weight ndarray float32 (2, 3) [[1.0, -2.0, 0.5], [3.0, 4.0, -0.0]]\n"
            "half ndarray float16 (2,) [1.0, -2.0]\ncount ndarray int64 () 7\nflag ndarray bool () True\n"
            "none ndarray float64 (0, 4) []\n{'epoch': 3, 'betas': (0.9, [1, None])}\n");
}

}  // namespace
}  // namespace dformer
