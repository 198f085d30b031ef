// What a Checkpoint gives besides the weights themselves, and files that are no checkpoints.
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "byte_builder.hpp"
#include "checkpoint_support.hpp"
#include "pickle_builder.hpp"
#include "zip_builder.hpp"
#include <dformer/io/checkpoint.hpp>

namespace dformer {
namespace {

using Kind = CheckpointError::Kind;
using testing::expect_checkpoint_error;
using testing::PickleBuilder;
using testing::TemporaryFile;
using testing::ZipBuilder;

const std::string folder = std::string(DFORMER_TEST_DATA) + "/checkpoints/";

TEST(Checkpoint, KeepsWhatStandsBesideTheWeights) {
  const Checkpoint checkpoint = read_checkpoint(folder + "training_state.pth");
  EXPECT_EQ(checkpoint.format(), io::FileFormat::torch_zip);
  EXPECT_EQ(checkpoint.integer("epoch"), 12);
  EXPECT_EQ(checkpoint.integer("iteration"), 345);
  EXPECT_EQ(checkpoint.number("epoch"), 12.0);
  EXPECT_EQ(checkpoint.number("optimizer.param_groups.0.lr"), 6e-05);
  EXPECT_EQ(checkpoint.number("optimizer.param_groups.0.betas.1"), 0.999);
  EXPECT_EQ(checkpoint.number("optimizer.param_groups.1.weight_decay"), 0.0);
  EXPECT_EQ(checkpoint.integer("optimizer.param_groups.1.params.2"), 4);
  EXPECT_EQ(checkpoint.integer("no such thing"), std::nullopt);
  EXPECT_EQ(checkpoint.integer("optimizer.param_groups.0.lr"), std::nullopt) << "not a whole number";
}

TEST(Checkpoint, ReadsTheFieldsOfInertObjects) {
  const Checkpoint checkpoint = read_checkpoint(folder + "timm_like.pth.tar");
  EXPECT_EQ(checkpoint.number("args.lr"), 0.1);
  EXPECT_EQ(checkpoint.text("args.name"), "x");
  EXPECT_EQ(checkpoint.number("metric"), 71.5);
}

TEST(Checkpoint, ReadsTheMetadataOfSafetensors) {
  const Checkpoint checkpoint = read_checkpoint(folder + "toy.safetensors");
  EXPECT_EQ(checkpoint.format(), io::FileFormat::safetensors);
  EXPECT_EQ(checkpoint.text("format"), "pt");
}

TEST(Checkpoint, TensorsShareStoragesAndAreNotCopied) {
  const Checkpoint checkpoint = read_checkpoint(folder + "strided_shared.pth");
  const TensorRecord* a = checkpoint.find("shared_a");
  const TensorRecord* b = checkpoint.find("shared_b");
  ASSERT_TRUE(a != nullptr && b != nullptr);
  EXPECT_EQ(a->storage.data(), b->storage.data());
  EXPECT_NE(a->offset, b->offset);
  EXPECT_FALSE(checkpoint.find("channels_last")->contiguous());
}

TEST(Checkpoint, CanBeMoved) {
  Checkpoint checkpoint = read_checkpoint(folder + "plain.pth");
  const std::vector<float> before = checkpoint.tensors()[0].to_float32();
  const Checkpoint moved = std::move(checkpoint);
  EXPECT_EQ(moved.tensors()[0].to_float32(), before);
  EXPECT_EQ(moved.find("backbone.stem.0.weight")->to_float32(), before);
  EXPECT_EQ(moved.find("backbone.stem"), nullptr);
}

TEST(Checkpoint, MissingFilesAndFoldersAreRefusedByName) {
  const CheckpointError missing = expect_checkpoint_error([] { read_checkpoint(folder + "absent.pth"); });
  EXPECT_EQ(missing.kind(), Kind::io_failure);
  EXPECT_NE(std::string(missing.what()).find("absent.pth"), std::string::npos);
  EXPECT_NE(std::string(missing.what()).find("No such file"), std::string::npos);
  EXPECT_EQ(expect_checkpoint_error([] { read_checkpoint(folder); }).kind(), Kind::io_failure);
}

TEST(Checkpoint, SaysWhatAForeignFileIs) {
  const std::pair<std::string, std::string> foreign[] = {
      {"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "git-lfs pointer"},
      {"\n <!DOCTYPE html><html>", "web page"},
      {"hello", "text file"},
      {"", "empty"},
      {std::string("\x1f\x8b\x08\x00", 4), "gzip"},
      {"\x89HDF\r\n", "HDF5"},
      {std::string(257, '\0') + "ustar\00000", "tar archive"},
      {std::string("\x01\x02\x03\x04", 4), "no checkpoint"}};
  for (const auto& [content, expected] : foreign) {
    const TemporaryFile file(content);
    const CheckpointError error = expect_checkpoint_error([&] { read_checkpoint(file.path()); });
    EXPECT_EQ(error.kind(), Kind::unrecognized_format);
    EXPECT_NE(std::string(error.what()).find(expected), std::string::npos) << error.what();
  }
}

/// A torch zip archive of one 2x2 tensor of big-endian or little-endian floats 1, 2, 3, 4 as `w`.
std::string one_tensor_archive(std::string_view byte_order) {
  ZipBuilder zip;
  zip.add("a/data.pkl",
          PickleBuilder().begin(2).dict().text("w").torch_tensor("0", 4, {2, 2}, {2, 1}).op('s').end());
  if (!byte_order.empty()) zip.add("a/byteorder", std::string(byte_order));
  std::string floats;
  for (const char high : {'\x3f', '\x40', '\x40', '\x40'}) {
    const char second = floats.empty()       ? '\x80'
                        : floats.size() == 4 ? '\x00'
                        : floats.size() == 8 ? '\x40'
                                             : '\x80';
    floats += byte_order == "big" ? std::string{high, second, 0, 0} : std::string{0, 0, second, high};
  }
  zip.add("a/data/0", floats);
  return zip.finish();
}

TEST(Checkpoint, HonoursTheByteOrderOfTheWriter) {
  for (const char* order : {"", "little", "big"}) {
    const TemporaryFile file(one_tensor_archive(order));
    EXPECT_EQ(read_checkpoint(file.path()).tensors()[0].to_float32(), (std::vector<float>{1, 2, 3, 4}))
        << order;
  }
}

TEST(Checkpoint, APickledNetworkIsNoStateDict) {
  ZipBuilder zip;
  zip.add("a/data.pkl",
          PickleBuilder().begin(2).global("models.builder", "EncoderDecoder").op(')').op(0x81).end());
  const TemporaryFile file(zip.finish());
  const CheckpointError error = expect_checkpoint_error([&] { read_checkpoint(file.path()); });
  EXPECT_EQ(error.kind(), Kind::unsupported_global);
  EXPECT_NE(std::string(error.what()).find("models.builder.EncoderDecoder"), std::string::npos);
  EXPECT_NE(std::string(error.what()).find("state_dict()"), std::string::npos);
}

TEST(Checkpoint, ATensorOfAnUnknownKindIsNamed) {
  ZipBuilder zip;
  zip.add("a/data.pkl", PickleBuilder()
                            .begin(2)
                            .dict()
                            .text("w")
                            .global("torch._utils", "_rebuild_sparse_tensor")
                            .op(')')
                            .op('R')
                            .op('s')
                            .end());
  const TemporaryFile file(zip.finish());
  const CheckpointError error = expect_checkpoint_error([&] { read_checkpoint(file.path()); });
  EXPECT_EQ(error.kind(), Kind::unsupported_global);
  EXPECT_NE(std::string(error.what()).find("'w'"), std::string::npos);
  EXPECT_NE(std::string(error.what()).find("_rebuild_sparse_tensor"), std::string::npos);
}

TEST(Checkpoint, FindsNestedStateDicts) {
  ZipBuilder zip;
  zip.add("a/data.pkl", PickleBuilder()
                            .begin(2)
                            .dict()
                            .text("model")
                            .dict()
                            .text("state_dict")
                            .dict()
                            .text("w")
                            .torch_tensor("0", 4, {4}, {1})
                            .op('s')
                            .op('s')
                            .op('s')
                            .end());
  zip.add("a/data/0", std::string(16, '\0'));
  const TemporaryFile file(zip.finish());
  const Checkpoint checkpoint = read_checkpoint(file.path());
  EXPECT_EQ(checkpoint.selected(), "model.state_dict");
  EXPECT_EQ(checkpoint.tensors().size(), 1u);
}

TEST(Checkpoint, AModulePrefixIsRemovedOnlyIfAllNamesHaveIt) {
  for (const bool both : {true, false}) {
    ZipBuilder zip;
    zip.add("a/data.pkl", PickleBuilder()
                              .begin(2)
                              .dict()
                              .text("module.w")
                              .torch_tensor("0", 4, {4}, {1})
                              .op('s')
                              .text(both ? "module.v" : "v")
                              .torch_tensor("0", 4, {2}, {1})
                              .op('s')
                              .end());
    zip.add("a/data/0", std::string(16, '\0'));
    const TemporaryFile file(zip.finish());
    const Checkpoint checkpoint = read_checkpoint(file.path());
    EXPECT_EQ(checkpoint.find("w") != nullptr, both);
    EXPECT_EQ(checkpoint.find("module.w") != nullptr, !both);
    EXPECT_EQ(checkpoint.removed_prefix(), both ? "module." : "");
  }
}

TEST(Checkpoint, TheLaterEntryOfANameCounts) {
  ZipBuilder zip;
  zip.add("a/data.pkl", PickleBuilder()
                            .begin(2)
                            .dict()
                            .text("w")
                            .torch_tensor("0", 4, {4}, {1})
                            .op('s')
                            .text("w")
                            .torch_tensor("0", 4, {2}, {1})
                            .op('s')
                            .end());
  zip.add("a/data/0", std::string(16, '\0'));
  const TemporaryFile file(zip.finish());
  const Checkpoint checkpoint = read_checkpoint(file.path());
  ASSERT_EQ(checkpoint.tensors().size(), 1u);
  EXPECT_EQ(checkpoint.tensors()[0].shape, (Shape{2}));
}

}  // namespace
}  // namespace dformer
