// dformer_convert as it exports networks: what it writes, and what it says of a wrong command line.
#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "programs/run.hpp"
#include "support/python.hpp"
#include <dformer/backend/cpu/cpu.hpp>
#include <dformer/io/save_torch.hpp>
#include <dformer/models/zoo.hpp>
#include <dformer/nn/initialize.hpp>

namespace dformer {
namespace {

using testing::Outcome;
using Words = std::vector<std::string>;

class ConvertToOnnx : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto net = make_segmenter<Cpu<>>("DFormer_Tiny", 13);
    initialize(*net, 1);
    save_torch(*net, folder_ / "tiny.pth");
  }

  /// Of the checkpoint of a DFormer_Tiny with 13 classes.
  Outcome convert(const Words& words) const {
    Words all{file("tiny.pth"), file("tiny.onnx")};
    all.insert(all.end(), words.begin(), words.end());
    return testing::run(folder_, DFORMER_CONVERT, all);
  }
  std::string file(const std::string& name) const { return (folder_ / name).string(); }
  bool wrote() const { return std::filesystem::exists(folder_ / "tiny.onnx"); }

  testing::TemporaryFolder folder_;
};

#if defined(DFORMER_HAS_ONNX)
TEST_F(ConvertToOnnx, WritesAModel) {
  const Outcome outcome = convert({"--model", "DFormer_Tiny", "--classes", "13", "--size", "64x96", "--batch",
                                   "dynamic", "--output", "labels"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("ONNX, opset 17"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("rgb and depth of 64x96, batch \"dynamic\", to labels"), std::string::npos)
      << outcome.out;
  ASSERT_TRUE(wrote());
  if (!testing::python_has("onnx")) GTEST_SKIP() << "python3 with onnx is missing: the file was not read";
  const testing::Printed printed = testing::run_command(
      "python3 -c \"import sys, onnx; m = onnx.load(sys.argv[1]); onnx.checker.check_model(m, "
      "full_check=True); "
      "print(m.graph.name, [(v.name, [d.dim_value or d.dim_param for d in v.type.tensor_type.shape.dim]) "
      "for v in [*m.graph.input, *m.graph.output]])\" '" +
      file("tiny.onnx") + "'");
  EXPECT_EQ(printed.text,
            "DFormer_Tiny [('rgb', ['batch', 3, 64, 96]), ('depth', ['batch', 1, 64, 96]), "
            "('labels', ['batch', 64, 96])]\n");
}

TEST_F(ConvertToOnnx, ACheckpointThatDoesNotFitWritesNothing) {
  const Outcome outcome = convert({"--model", "DFormer_Tiny"});  // of 40 classes
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_NE(outcome.err.find("does not fit the network"), std::string::npos) << outcome.err;
  EXPECT_FALSE(wrote());
}

TEST_F(ConvertToOnnx, AFolderThatIsNotThereIsAnError) {
  const Outcome outcome = testing::run(folder_, DFORMER_CONVERT,
                                       {file("tiny.pth"), file("none/tiny.onnx"), "--model", "DFormer_Tiny",
                                        "--classes", "13", "--size", "64x64"});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_NE(outcome.err.find("create the folder first"), std::string::npos) << outcome.err;
}
#else
TEST_F(ConvertToOnnx, SaysWhatToInstall) {
  const Outcome outcome = convert({"--model", "DFormer_Tiny", "--classes", "13"});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_NE(outcome.err.find("install libonnx-dev"), std::string::npos) << outcome.err;
  EXPECT_FALSE(wrote());
}
#endif

TEST_F(ConvertToOnnx, RefusesACommandLineThatIsWrong) {
  const struct {
    Words words;
    const char* says;
  } cases[] = {
      {{}, "--model"},
      {{"--model", "DFormer_Huge"}, "DFormer_Huge"},
      {{"--model", "DFormer_Tiny", "--size", "dynamic"}, "a model is of one height and width"},
      {{"--model", "DFormer_Tiny", "--size", "480"}, "HEIGHTxWIDTH expected"},
      {{"--model", "DFormer_Tiny", "--size", "480x640x3"}, "HEIGHTxWIDTH expected"},
      {{"--model", "DFormer_Tiny", "--size", "20x640"}, "32 to 4096 pixels, got 20x640"},
      {{"--model", "DFormer_Tiny", "--batch", "0"}, "a number of 1 or more, or dynamic"},
      {{"--model", "DFormer_Tiny", "--batch", "5000000000"}, "a batch of 1 to 1024"},
      {{"--model", "DFormer_Tiny", "--output", "masks"}, "masks"},
      {{"--model", "DFormer_Tiny", "--dtype", "float16"}, "--dtype excludes"},
  };
  for (const auto& [words, says] : cases) {
    const Outcome outcome = convert(words);
    EXPECT_EQ(outcome.exit_code, 2) << says;
    EXPECT_NE((outcome.out + outcome.err).find(says), std::string::npos) << outcome.out << outcome.err;
    EXPECT_FALSE(wrote()) << says;
  }
  const Outcome outcome =
      testing::run(folder_, DFORMER_CONVERT, {file("tiny.pth"), file("tiny.npz"), "--size", "64x64"});
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "tiny.npz"));
}

}  // namespace
}  // namespace dformer
