// dformer_convert as a user runs it: every network through every container and back, lists and checks, and
// what it says of input that is wrong.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "programs/process.hpp"
#include "programs/run.hpp"
#include "support/python.hpp"
#include <dformer/backend/count/count.hpp>
#include <dformer/core/fill.hpp>
#include <dformer/core/random.hpp>
#include <dformer/io/checkpoint.hpp>
#include <dformer/io/load_plan.hpp>
#include <dformer/io/torch_writer.hpp>
#include <dformer/models/zoo.hpp>

namespace dformer {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::expect_mentions;
using testing::Outcome;
using Words = std::vector<std::string>;

/// A tensor of any bits whatever, NaNs among them, decided by its name.
TensorSource any_bits(const std::string& name, DType dtype, const Shape& shape) {
  return {dtype, shape,
          [seed = fnv1a64(name),
           size = static_cast<std::uint64_t>(shape.numel()) * size_of(dtype)](const ByteSink& sink) {
            RandomStream random(seed, 0);
            std::vector<std::uint32_t> words(1 << 14);
            for (std::uint64_t left = size; left > 0;) {
              for (std::uint32_t& word : words) word = random.bits();
              const auto piece = std::as_bytes(std::span(words));
              const std::uint64_t part = std::min<std::uint64_t>(left, piece.size());
              sink(piece.first(static_cast<std::size_t>(part)));
              left -= part;
            }
          }};
}

/// The state dict of a network, of such tensors, with two that the network does not know.
TorchDict state_dict(std::string_view model) {
  TorchDict dict;
  for (const LoadTarget& target : load_targets(*make_segmenter<Count>(model))) {
    if (target.kind == ParameterKind::constant) continue;
    const DType dtype = target.kind == ParameterKind::counter ? DType::int64 : DType::float32;
    dict.add(target.name, any_bits(target.name, dtype, target.shape));
  }
  dict.add("backbone.norm0.weight", any_bits("half", DType::float16, {64}));
  dict.add("backbone.norm1.num_batches_tracked", any_bits("whole", DType::int64, {}));
  return dict;
}

class ConvertProgram : public ::testing::Test {
 protected:
  Outcome convert(const Words& words) const { return testing::run(folder_, DFORMER_CONVERT, words); }
  std::string file(const std::string& name) const { return (folder_ / name).string(); }
  static std::string fixture(const std::string& name) {
    return std::string(DFORMER_TEST_DATA) + "/checkpoints/" + name;
  }

  testing::TemporaryFolder folder_;
};

class EveryNetwork : public ConvertProgram, public ::testing::WithParamInterface<std::string_view> {};

TEST_P(EveryNetwork, ComesBackFromEveryContainerBitByBit) {
  if (!testing::python_has("torch"))
    GTEST_SKIP() << "python3 with torch is missing, so PyTorch itself could not compare";
  const std::string model(GetParam());
  write_torch_checkpoint(file("start.pth"), TorchDict{{"model", state_dict(model)}});
  // Each step reads what the one before wrote; the names are Jittor's in between.
  const Words steps[] = {
      {"a.safetensors", "--model", model}, {"b.npz"}, {"c.pkl"}, {"d.pth", "--legacy"}, {"e.pth"}};
  std::string last = file("start.pth");
  for (const Words& step : steps) {
    Words words{last, file(step[0])};
    words.insert(words.end(), step.begin() + 1, step.end());
    const Outcome outcome = convert(words);
    ASSERT_EQ(outcome.exit_code, 0) << step[0] << ": " << outcome.err;
    if (last != file("start.pth")) fs::remove(last);
    last = file(step[0]);
  }
  const testing::Printed compared = testing::run_command(
      "python3 '" DFORMER_TEST_SCRIPTS "/torch_reads.py' equal '" + file("start.pth") + "' '" + last + "'");
  EXPECT_EQ(compared.exit_code, 0) << compared.text;
  const std::size_t count = state_dict(model).entries.size();
  EXPECT_EQ(compared.text, std::to_string(count) + " tensors are the same\n");
}

INSTANTIATE_TEST_SUITE_P(Zoo, EveryNetwork, ::testing::ValuesIn(model_names),
                         [](const auto& model) { return std::string(model.param); });

TEST_F(ConvertProgram, PyTorchReadsBothFormsOfItsFiles) {
  if (!testing::python_has("torch"))
    GTEST_SKIP() << "python3 with torch is missing, so PyTorch itself could not compare";
  const Words names{"training_state.pth", "bfloat16.pth",      "other_dtypes.pth",
                    "legacy_strided.pth", "module_prefix.pth", "state_dict_ema.pth"};
  std::string fixtures, zips, streams;
  for (const std::string& name : names) {
    ASSERT_EQ(convert({fixture(name), file("zip_" + name)}).exit_code, 0) << name;
    ASSERT_EQ(convert({fixture(name), file("legacy_" + name), "--legacy"}).exit_code, 0) << name;
    fixtures += " '" + fixture(name) + "'";
    zips += " '" + file("zip_" + name) + "'";
    streams += " '" + file("legacy_" + name) + "'";
  }
  const auto read = [](const std::string& files) {
    return testing::run_command("python3 '" DFORMER_TEST_SCRIPTS "/torch_reads.py' tree" + files).text;
  };
  std::string expected = read(fixtures);
  expect_mentions(expected, {"optimizer.state.0.exp_avg tensor float32 (4,3,3,3)", "bfloat16"});
  for (std::size_t at = 0; (at = expected.find(".module.", at)) != expected.npos;) expected.erase(at, 7);
  EXPECT_EQ(read(zips), expected);
  EXPECT_EQ(read(streams), expected);
}

TEST_F(ConvertProgram, SaysWhatItDid) {
  const Outcome outcome =
      convert({fixture("training_state.pth"), file("out.safetensors"), "--rename", "backbone.stem.=encoder.",
               "--dtype", "float16", "--json", file("report.json")});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  expect_mentions(outcome.out, {"training_state.pth: torch zip archive, weights under 'model'",
                                "out.safetensors: safetensors, weights under 'top level'",
                                "another element type", "'backbone.stem'", "'encoder'", "not carried over",
                                "optimizer", "15", "safetensors holds weights only"});
  const json report = json::parse(testing::read_text(folder_ / "report.json"))["conversion"];
  EXPECT_EQ(report["container"], "safetensors");
  EXPECT_EQ(report["tensors"][0]["from"], "backbone.stem.0.weight");
  EXPECT_EQ(report["tensors"][0]["to"], "encoder.0.weight");
  EXPECT_EQ(report["tensors"][0]["from_dtype"], "float32");
  EXPECT_EQ(report["tensors"][0]["dtype"], "float16");
  EXPECT_EQ(report["not_carried_over"][0]["path"], "optimizer");

  folder_.write("map.txt", "# theirs to ours\nencoder. = backbone.stem.\n");
  ASSERT_EQ(convert({file("out.safetensors"), file("back.pth"), "--map", file("map.txt")}).exit_code, 0);
  EXPECT_NE(read_checkpoint(file("back.pth")).find("backbone.stem.0.weight"), nullptr);
}

TEST_F(ConvertProgram, WarnsOfAPlaceThatLoadingDoesNotLookAt) {
  const Outcome odd = convert({fixture("plain.pth"), file("out.pth"), "--under", "net"});
  EXPECT_EQ(odd.exit_code, 0);
  expect_mentions(odd.err, {"warning", "'net'", "state_dict_ema"});
  EXPECT_EQ(convert({fixture("plain.pth"), file("out.pth"), "--under", "state_dict.model"}).err, "");
}

TEST_F(ConvertProgram, ListsWhatIsInAFile) {
  const Outcome table = convert({fixture("training_state.pth"), "--list"});
  ASSERT_EQ(table.exit_code, 0) << table.err;
  expect_mentions(table.out,
                  {"torch zip archive", "'model'", "backbone.stem.0.weight", "float32", "(4, 3, 3, 3)",
                   "beside the weights", "optimizer.state.0.exp_avg", "epoch  ", "iteration  "});
  const Outcome printed = convert({fixture("training_state.pth"), "--list", "--json", "-"});
  ASSERT_EQ(printed.exit_code, 0) << printed.err;
  const json list = json::parse(printed.out)["checkpoint"];
  EXPECT_EQ(list["container"], "torch zip archive");
  EXPECT_EQ(list["weights_under"], "model");
  EXPECT_EQ(list["tensors"][0]["name"], "backbone.stem.0.weight");
  EXPECT_EQ(list["tensors"][0]["shape"], json({4, 3, 3, 3}));
  EXPECT_EQ(list["tensors"][0]["bytes"], 4 * 3 * 3 * 3 * 4);
  EXPECT_EQ(list["other_tensors"].size(), 15u);
  EXPECT_TRUE(list["values"]["epoch"].is_number_integer());
}

TEST_F(ConvertProgram, ChecksAgainstANetworkWithoutWriting) {
  write_torch_checkpoint(file("tiny.pth"), state_dict("DFormer_Tiny"));
  const Outcome fits = convert({file("tiny.pth"), "--model", "DFormer_Tiny"});
  EXPECT_EQ(fits.exit_code, 0) << fits.err;
  expect_mentions(fits.out, {"692 tensors applied", "2 ignored"});

  const Outcome other =
      convert({file("tiny.pth"), "--model", "DFormer_Small", "--json", file("report.json")});
  EXPECT_EQ(other.exit_code, 1);
  expect_mentions(other.err, {"dformer_convert: ", "tiny.pth", "mismatched", "--model", "--classes"});
  const json report = json::parse(testing::read_text(folder_ / "report.json"))["network"];
  EXPECT_EQ(report["fits"], false);
  EXPECT_FALSE(report["mismatched"].empty());

  const Outcome classes =
      convert({file("tiny.pth"), file("out.safetensors"), "--model", "DFormer_Tiny", "--classes", "37"});
  EXPECT_EQ(classes.exit_code, 1);
  expect_mentions(classes.err, {"decode_head.conv_seg.weight"});
  EXPECT_FALSE(fs::exists(file("out.safetensors"))) << "nothing is written of what does not fit";

  // Names of other wrappings become the network's.
  ASSERT_EQ(convert({file("tiny.pth"), file("wrapped.pkl"), "--rename", "=model."}).exit_code, 0);
  ASSERT_EQ(convert({file("wrapped.pkl"), file("out.safetensors"), "--model", "DFormer_Tiny"}).exit_code, 0);
  EXPECT_NE(read_checkpoint(file("out.safetensors")).find("decode_head.squeeze.bn.weight"), nullptr);
}

TEST_F(ConvertProgram, ACommandLineThatIsWrong) {
  const auto refused = [&](const Words& words, int code, std::initializer_list<std::string> parts) {
    const Outcome outcome = convert(words);
    EXPECT_EQ(outcome.exit_code, code) << outcome.out;
    expect_mentions(outcome.err, parts);
  };
  const std::string in = fixture("plain.pth");
  refused({}, 2, {"in"});
  refused({in}, 2, {"--list"});
  refused({in, file("out.xyz")}, 2, {"out.xyz", ".safetensors", ".onnx"});
  refused({in, file("out.pth"), "--classes", "13"}, 2, {"--classes", "--model"});
  refused({in, file("out.pth"), "--like", "sunrgbd"}, 2, {"--like", "--model"});
  for (const char* option : {"--dtype=float16", "--names=keep", "--under=model", "--legacy"})
    refused({in, "--list", option}, 2, {"requires out"});
  refused({in, "--list", "--rename", "x.=y."}, 2, {"--rename", "--model"});
  refused({in, file("out.pth"), "--dtype", "int8"}, 2, {"--dtype"});
  refused({in, file("out.pth"), "--model", "DFormer_Huge"}, 2, {"--model"});
  refused({in, file("out.pth"), "--map", file("no.txt")}, 2, {"no.txt"});
  refused({in, file("out.pth"), "--rename", "x"}, 2, {"FROM=TO", "'x'"});
  refused({in, file("out.pth"), "--rename", "x.=y."}, 1, {"'x.'"});
  refused({in, file("out.npz"), "--legacy"}, 1, {".pth"});
  refused({"/no/such.pth", file("out.pth")}, 1, {"/no/such.pth"});
  refused({fixture("bad_truncated.pth"), file("out.pth")}, 1, {"bad_truncated.pth"});
  refused({fixture("bfloat16.pth"), file("out.npz")}, 1, {"bfloat16", "float32"});
  for (const auto& entry : fs::directory_iterator(folder_.path()))
    EXPECT_TRUE(entry.path().filename().string().starts_with("std")) << "nothing is left: " << entry.path();

  fs::copy_file(in, file("same.pth"));
  refused({file("same.pth"), file("same.pth")}, 1, {"the output is the input"});
}

TEST_F(ConvertProgram, AFileThatCannotGrowLeavesTheOldOne) {
  write_torch_checkpoint(file("tiny.pth"), state_dict("DFormer_Tiny"));
  for (const char* name : {"out.pth", "out.safetensors", "out.pkl", "out.npz"}) {
    folder_.write(name, "before");
    testing::Process process(folder_ / "output", DFORMER_CONVERT, {file("tiny.pth"), file(name)}, 1'000'000);
    EXPECT_EQ(process.wait(), 1);
    expect_mentions(process.output(), {"dformer_convert: [", name, "cannot be written", "free space"});
    EXPECT_EQ(testing::read_text(folder_ / name), "before");
  }
  for (const std::string& name : folder_.names()) EXPECT_EQ(name.find(".partial"), name.npos) << name;
}

}  // namespace
}  // namespace dformer
