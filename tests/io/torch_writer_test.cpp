#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <limits>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <unistd.h>

#include "byte_builder.hpp"
#include "checkpoint_support.hpp"
#include "everything.hpp"
#include "support/python.hpp"
#include "written_files.hpp"
#include <dformer/io/checkpoint.hpp>
#include <dformer/io/sha1.hpp>
#include <dformer/io/torch_writer.hpp>
#include <dformer/io/zip_archive.hpp>

namespace dformer {
namespace {

using testing::content_of;
using testing::everything;
using testing::files_beside;
using testing::FullDisk;
using testing::TemporaryFile;

TEST(TorchWriter, OurReaderReadsEveryBit) {
  const TemporaryFile file("before");
  write_torch_checkpoint(file.path(), everything());
  const Checkpoint checkpoint = read_checkpoint(file.path());
  EXPECT_EQ(checkpoint.format(), io::FileFormat::torch_zip);
  EXPECT_EQ(checkpoint.selected(), "model");
  ASSERT_EQ(checkpoint.tensors().size(), 12u);
  const auto& tensors = checkpoint.tensors();
  const std::vector<DType> dtypes{DType::float32, DType::float16, DType::bfloat16, DType::float64,
                                  DType::int64,   DType::uint8,   DType::int32,    DType::int8,
                                  DType::float32, DType::int64,   DType::boolean,  DType::float32};
  for (std::size_t i = 0; i < dtypes.size(); ++i) EXPECT_EQ(tensors[i].dtype, dtypes[i]) << tensors[i].name;
  const float weight[] = {1, -2, 0.5f, 3e38f, 1e-45f, -0.0f};
  EXPECT_TRUE(std::ranges::equal(tensors[0].storage, std::as_bytes(std::span(weight))));
  EXPECT_EQ(tensors[0].shape, (Shape{2, 3}));
  EXPECT_EQ(tensors[1].to_float32(), (std::vector<float>{1, -2, 0x1p-24f}));
  EXPECT_EQ(tensors[2].to_float32()[0], 1.0f);
  EXPECT_EQ(tensors[4].to_int64(), (std::vector<std::int64_t>{-1, std::int64_t{1} << 40}));
  EXPECT_EQ(tensors[5].to_int64(), (std::vector<std::int64_t>{0, 1, 2, 3, 255}));
  EXPECT_EQ(tensors[8].shape, Shape{});
  EXPECT_EQ(tensors[9].to_int64(), (std::vector<std::int64_t>{7}));
  EXPECT_EQ(tensors[11].shape, (Shape{0, 4}));

  EXPECT_EQ(checkpoint.integer("small"), 7);
  EXPECT_EQ(checkpoint.integer("byte"), 200);
  EXPECT_EQ(checkpoint.integer("two bytes"), 65535);
  EXPECT_EQ(checkpoint.integer("negative"), -1);
  EXPECT_EQ(checkpoint.integer("wide"), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(checkpoint.integer("widest"), std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(checkpoint.number("real"), 6e-5);
  EXPECT_EQ(checkpoint.metadata().at("yes"), MetadataValue(true));
  EXPECT_EQ(checkpoint.metadata().at("no"), MetadataValue(false));
  EXPECT_EQ(checkpoint.text("text"), "caf\xc3\xa9 'quoted'");
  EXPECT_EQ(checkpoint.text("long text"), std::string(300, 'x'));
  EXPECT_EQ(checkpoint.text("list.1"), "two");
  EXPECT_EQ(checkpoint.number("tuple.1"), 0.999);
  EXPECT_EQ(checkpoint.text("by number.0"), "zero");
}

TEST(TorchWriter, TensorsLieAlignedAndEqualContentsGiveEqualFiles) {
  const TemporaryFile file(""), again("", "again");
  write_torch_checkpoint(file.path(), everything());
  write_torch_checkpoint(again.path(), everything());
  const std::string content = content_of(file.path());
  EXPECT_EQ(content, content_of(again.path()));
  const io::ZipArchive archive(testing::bytes_of(content), "file");
  ASSERT_EQ(archive.records().size(), 15u);
  for (const io::ZipRecord& record : archive.records()) {
    EXPECT_EQ(record.offset % 64, 0u) << record.name;
    EXPECT_FALSE(record.deflated);
  }
}

TEST(TorchWriter, TensorsAreWrittenInTheirTurnAndInPieces) {
  const TemporaryFile file("before");
  std::string order;
  const auto tensor = [&](char name) {
    return TensorSource{DType::float32, {2}, [&order, name](const ByteSink& sink) {
                          order += name;
                          for (const float value : {1.0f, 2.0f}) sink(std::as_bytes(std::span(&value, 1)));
                        }};
  };
  write_torch_checkpoint(file.path(), TorchDict{{"b", tensor('b')}, {"a", tensor('a')}});
  EXPECT_EQ(order, "ba");
  EXPECT_EQ(read_checkpoint(file.path()).find("a")->to_float32(), (std::vector<float>{1, 2}));
}

TEST(TorchWriter, LargeArchivesUseZip64) {
  const TemporaryFile file("");
  {
    AtomicFile target(file.path());
    io::ZipWriter zip(target, 100);  // as though sizes and offsets had seven bits
    zip.add("small", "abc");
    zip.add("large", std::string(1000, 'x'));
    zip.add("behind", "def");
    zip.finish();
    target.commit();
  }
  const std::string content = content_of(file.path());
  const io::ZipArchive archive(testing::bytes_of(content), "file");
  io::KeptBytes kept;
  EXPECT_EQ(io::as_text(archive.read(*archive.find("small"), kept)), "abc");
  EXPECT_EQ(io::as_text(archive.read(*archive.find("large"), kept)), std::string(1000, 'x'));
  EXPECT_EQ(io::as_text(archive.read(*archive.find("behind"), kept)), "def");
  EXPECT_NE(content.find("PK\x06\x06"), content.npos);
  if (!testing::python_has("zipfile")) GTEST_SKIP() << "python3 is missing: no other reader was asked";
  const testing::Printed listed = testing::run_command(
      "python3 -c \"import sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); print(z.testzip(), [(i.filename, "
      "i.file_size) for i in z.infolist()])\" '" +
      file.path().string() + "'");
  EXPECT_EQ(listed.text, "None [('small', 3), ('large', 1000), ('behind', 3)]\n");
}

TEST(TorchWriter, MoreRecordsThanSixteenBitsCount) {
  const TemporaryFile file("");
  AtomicFile target(file.path());
  io::ZipWriter zip(target);
  for (int i = 0; i < 65536; ++i) zip.add(std::to_string(i), "");
  zip.finish();
  target.commit();
  const std::string content = content_of(file.path());
  EXPECT_EQ(io::ZipArchive(testing::bytes_of(content), "file").records().size(), 65536u);
}

TEST(TorchWriter, WhatAKilledWriterLeftIsInNobodysWay) {
  const TemporaryFile file("before");
  std::vector<std::filesystem::path> left;
  for (int i = 0; i < 200; ++i) {
    left.push_back(file.path().string() + ".partial-" + std::to_string(::getpid()) + "-" + std::to_string(i));
    std::ofstream(left.back()) << "half";
  }
  write_torch_checkpoint(file.path(), TorchDict{{"w", tensor_of(1.0f)}});
  EXPECT_NE(read_checkpoint(file.path()).find("w"), nullptr);
  for (const std::filesystem::path& each : left) std::filesystem::remove(each);
}

TEST(TorchWriter, AFailureLeavesTheOldFileAndNothingElse) {
  const TemporaryFile file("before");
  const TorchValue fails[] = {
      TorchDict{{"w", TensorSource{DType::float32,
                                   {2},
                                   [](const ByteSink&) { throw std::runtime_error("the device is gone"); }}}},
      TorchDict{{"w", TensorSource{DType::float32, {2}, [](const ByteSink&) {}}}},
      TorchDict{{"w", TensorSource{DType::float32, {}, tensor_of({2}, std::vector<float>{1, 2}).content}}},
      TorchDict{{"w", TensorSource{}}},
      TorchDict{{"w", TensorSource{DType::float32, {-1}, [](const ByteSink&) {}}}},
      TorchDict{{"twice", 1}, {"twice", 2}},
  };
  EXPECT_THROW(write_torch_checkpoint(file.path(), fails[0]), std::runtime_error);
  for (std::size_t i = 1; i < std::size(fails); ++i) {
    EXPECT_THROW(write_torch_checkpoint(file.path(), fails[i]), ArgumentError) << i;
  }
  EXPECT_EQ(content_of(file.path()), "before");
  EXPECT_EQ(files_beside(file.path()), 1u);
}

TEST(TorchWriter, AFullDiskLeavesTheOldFileAndNothingElse) {
  const TemporaryFile file("before");
  const TorchDict large{{"w", tensor_of({1 << 16}, std::vector<float>(1 << 16))}};
  for (const rlim_t bytes : {0u, 10u, 1000u, 100'000u, 262'144u}) {
    std::string message = "no error";
    try {
      const FullDisk disk(bytes);
      write_torch_checkpoint(file.path(), large);
    } catch (const FileError& error) {
      message = error.what();
    }
    EXPECT_NE(message.find("free space"), std::string::npos) << bytes << ": " << message;
  }
  EXPECT_EQ(content_of(file.path()), "before");
  EXPECT_EQ(files_beside(file.path()), 1u);
  write_torch_checkpoint(file.path(), large);
  EXPECT_EQ(read_checkpoint(file.path()).tensors().size(), 1u) << "there is room again";
}

/// The state of torch.optim.AdamW over a linear layer after two steps, as a trainer writes it.
TorchDict training_state() {
  const auto moments = [](const Shape& shape, float value) {
    const auto size = static_cast<std::size_t>(shape.numel());
    return TorchDict{{"step", tensor_of(2.0f)},
                     {"exp_avg", tensor_of(shape, std::vector<float>(size, value))},
                     {"exp_avg_sq", tensor_of(shape, std::vector<float>(size, value * value))}};
  };
  const auto group = [](int parameter, double decay) {
    return TorchDict{{"lr", 6e-5},
                     {"betas", TorchTuple{0.9, 0.999}},
                     {"eps", 1e-8},
                     {"weight_decay", decay},
                     {"params", TorchList{parameter}}};
  };
  return {{"model", TorchDict{{"weight", tensor_of({2, 3}, std::vector<float>{1, 2, 3, 4, 5, 6})},
                              {"bias", tensor_of({2}, std::vector<float>{7, 8})}}},
          {"optimizer", TorchDict{{"state", TorchDict{{0, moments({2, 3}, 0.5f)}, {1, moments({2}, 0.25f)}}},
                                  {"param_groups", TorchList{group(0, 0.01), group(1, 0.0)}}}},
          {"epoch", 4},
          {"iteration", 123},
          {"random",
           TorchDict{{"seed", 12345}, {"state", tensor_of({4}, std::vector<std::uint8_t>{1, 2, 3, 255})}}},
          {"best", TorchList{TorchDict{{"epoch", 3}, {"miou", 51.25}}}},
          {"config", std::string(5000, 'c')}};
}

TEST(TorchWriter, TheStateOfATrainingComesBack) {
  const TemporaryFile file("");
  write_torch_checkpoint(file.path(), training_state());
  const Checkpoint checkpoint = read_checkpoint(file.path());
  EXPECT_EQ(checkpoint.selected(), "model");
  EXPECT_EQ(checkpoint.tensors().size(), 2u);
  ASSERT_EQ(checkpoint.other_tensors().size(), 7u);
  EXPECT_EQ(checkpoint.other_tensors()[1].name, "optimizer.state.0.exp_avg") << "in the order of the file";
  const TensorRecord* average = checkpoint.find_other("optimizer.state.0.exp_avg");
  ASSERT_NE(average, nullptr);
  EXPECT_EQ(average->shape, (Shape{2, 3}));
  EXPECT_EQ(average->to_float32(), std::vector<float>(6, 0.5f));
  EXPECT_EQ(checkpoint.find_other("optimizer.state.1.exp_avg_sq")->to_float32(),
            std::vector<float>(2, 0.0625f));
  EXPECT_EQ(checkpoint.find_other("optimizer.state.1.step")->shape, Shape{});
  EXPECT_EQ(checkpoint.find_other("optimizer.state.1.step")->to_int64(), (std::vector<std::int64_t>{2}));
  EXPECT_EQ(checkpoint.find_other("random.state")->to_int64(), (std::vector<std::int64_t>{1, 2, 3, 255}));
  EXPECT_EQ(checkpoint.find_other("weight"), nullptr) << "a weight is none of the others";
  EXPECT_EQ(checkpoint.find_other("zzz"), nullptr);
  EXPECT_EQ(checkpoint.integer("epoch"), 4);
  EXPECT_EQ(checkpoint.integer("iteration"), 123);
  EXPECT_EQ(checkpoint.number("optimizer.param_groups.0.lr"), 6e-5);
  EXPECT_EQ(checkpoint.number("optimizer.param_groups.0.betas.1"), 0.999);
  EXPECT_EQ(checkpoint.number("optimizer.param_groups.1.weight_decay"), 0.0);
  EXPECT_EQ(checkpoint.integer("optimizer.param_groups.1.params.0"), 1);
  EXPECT_EQ(checkpoint.number("best.0.miou"), 51.25);
  EXPECT_EQ(checkpoint.text("config"), std::string(5000, 'c'));
}

TEST(TorchWriter, IntegersThatPythonWouldReadAsOthersAreRefused) {
  EXPECT_THROW(TorchValue{std::numeric_limits<std::uint64_t>::max()}, ArgumentError);
  EXPECT_NO_THROW(TorchValue{std::uint64_t{1} << 62});
}

class RealTorch : public ::testing::Test {
 protected:
  void SetUp() override {
    static const bool present = testing::python_has("torch");
    if (!present) GTEST_SKIP() << "python3 with torch is missing, so PyTorch itself was not asked";
  }
  static testing::Printed torch_reads(const std::string& command, const std::filesystem::path& file) {
    return testing::run_command("python3 '" DFORMER_TEST_SCRIPTS "/torch_reads.py' " + command + " '" +
                                file.string() + "'");
  }
};

/// As torch_reads.py prints a tensor.
template <class T>
std::string line(const std::string& name, const std::string& kind, const std::vector<T>& values) {
  std::string text = "model." + name + " tensor " + kind + " ";
  for (const std::byte byte : io::sha1(std::as_bytes(std::span(values)))) {
    for (const unsigned half : {static_cast<unsigned>(byte) >> 4, static_cast<unsigned>(byte) & 15u})
      text += "0123456789abcdef"[half];
  }
  return text + "\n";
}

TEST_F(RealTorch, ReadsEverythingWithWeightsOnly) {
  const TemporaryFile file("");
  write_torch_checkpoint(file.path(), everything());
  const testing::Printed printed = torch_reads("tree", file.path());
  EXPECT_EQ(printed.exit_code, 0);
  const std::string expected =
      " dict 16\nmodel dict 12\n" +
      line("weight", "float32 (2,3)", std::vector<float>{1, -2, 0.5f, 3e38f, 1e-45f, -0.0f}) +
      line("half", "float16 (3)", std::vector<std::uint16_t>{0x3c00, 0xc000, 0x0001}) +
      line("brain", "bfloat16 (1,2)", std::vector<std::uint16_t>{0x3f80, 0x7f80}) +
      line("double", "float64 (1)", std::vector<double>{0.1}) +
      line("long", "int64 (2)", std::vector<std::int64_t>{-1, std::int64_t{1} << 40}) +
      line("byte", "uint8 (5)", std::vector<std::uint8_t>{0, 1, 2, 3, 255}) +
      line("int", "int32 (1)", std::vector<std::int32_t>{-7}) +
      line("char", "int8 (1)", std::vector<std::int8_t>{-7}) +
      line("scalar", "float32 ()", std::vector<float>{2.5f}) +
      line("counter", "int64 ()", std::vector<std::int64_t>{7}) +
      line("flag", "bool ()", std::vector<std::uint8_t>{1}) +
      line("none", "float32 (0,4)", std::vector<float>{}) +
      "small int 7\nbyte int 200\ntwo bytes int 65535\nnegative int -1\n"
      "wide int -9223372036854775808\nwidest int 9223372036854775807\nreal float 6e-05\n"
      "yes bool True\nno bool False\nnothing NoneType None\ntext str \"caf\xc3\xa9 'quoted'\"\nlong text str "
      "'" +
      std::string(300, 'x') +
      "'\nlist list 3\nlist.0 int 1\nlist.1 str 'two'\nlist.2 list 0\n"
      "tuple tuple 3\ntuple.0 float 0.9\ntuple.1 float 0.999\ntuple.2 tuple 0\n"
      "by number dict 2\nby number.0 str 'zero'\nby number.300 dict 0\n";
  EXPECT_EQ(printed.text, expected);
}

TEST_F(RealTorch, GoesOnTrainingFromOurState) {
  const TemporaryFile file("");
  write_torch_checkpoint(file.path(), training_state());
  const testing::Printed printed = torch_reads("optimizer", file.path());
  EXPECT_EQ(printed.text, "[6e-05, 6e-05] [3.0, 3.0]\n");
}

}  // namespace
}  // namespace dformer
