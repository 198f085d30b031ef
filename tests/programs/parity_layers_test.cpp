// dformer_parity --dump and --compare, with networks changed in one layer, and with PyTorch's results where
// PyTorch is installed.
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "programs/run.hpp"
#include "support/python.hpp"
#include <dformer/backend/cpu/cpu.hpp>
#include <dformer/io/checkpoint.hpp>
#include <dformer/io/safetensors_writer.hpp>
#include <dformer/io/save_safetensors.hpp>
#include <dformer/models/zoo.hpp>
#include <dformer/nn/initialize.hpp>

namespace dformer {
namespace {

using testing::expect_mentions;
using testing::Outcome;

class ParityLayers : public ::testing::Test {
 protected:
  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  Outcome parity(const std::string& model, const std::vector<std::string>& more) const {
    std::vector<std::string> arguments{"--model", model};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return testing::run(folder_, DFORMER_PARITY, arguments);
  }
  /// Weights of `--init 1`, but for one of them, half of whose values are 1 larger.
  void save_changed(const std::string& model, const std::string& changed, const std::string& file) const {
    const auto network = make_segmenter<Cpu<>>(model, 40);
    initialize(*network, 1);
    int found = 0;
    for (auto& [name, parameter] : parameters(*network)) {
      if (name != changed) continue;
      ++found;
      std::vector<float> values(static_cast<std::size_t>(parameter->shape().numel()));
      Cpu<>::weight_to_host(parameter->value(), parameter->layout(), values);
      for (std::size_t i = 0; i < values.size(); i += 2) values[i] += 1.0f;
      parameter->set(Cpu<>::weight_from_host(parameter->value().device(), parameter->layout(),
                                             parameter->shape(), values));
    }
    ASSERT_EQ(found, 1) << changed;
    save_safetensors(*network, path(file));
  }

  testing::TemporaryFolder folder_;
};

TEST_F(ParityLayers, ANetworkAgreesWithItsOwnDump) {
  for (const std::string model : {"DFormer_Tiny", "DFormerv2_S"}) {
    ASSERT_EQ(parity(model, {"--init", "1", "--dump", path("dump.safetensors")}).exit_code, 0);
    const Outcome outcome = parity(model, {"--init", "1", "--compare", path("dump.safetensors")});
    EXPECT_EQ(outcome.exit_code, 0) << outcome.out << outcome.err;
    expect_mentions(outcome.out, {"0 only here, 0 only in the file; first divergence: none", "logits",
                                  "decode_head.hamburger.ham "});
  }
  const Checkpoint dump(path("dump.safetensors"));
  EXPECT_EQ(dump.find("backbone.patch_embed.proj.0.weight")->shape, (Shape{1, 32, 48, 32}));
  EXPECT_EQ(dump.find("input.depth")->shape, (Shape{1, 64, 96, 1}));
}

TEST_F(ParityLayers, TheFirstLayerThatDivergesIsTheOneThatWasChanged) {
  ASSERT_EQ(parity("DFormer_Tiny", {"--init", "1", "--dump", path("dump.safetensors")}).exit_code, 0);
  for (const std::string changed :
       {"backbone.downsample_layers.0.3.weight", "backbone.downsample_layers_e.1.0.weight",
        "backbone.stages.1.2.attn.conv.weight", "backbone.stages.2.0.mlp.norm.weight",
        "decode_head.hamburger.ham_out.bn.weight"}) {
    save_changed("DFormer_Tiny", changed, "changed.safetensors");
    const Outcome outcome = parity(
        "DFormer_Tiny", {"--checkpoint", path("changed.safetensors"), "--compare", path("dump.safetensors")});
    EXPECT_EQ(outcome.exit_code, 1);
    expect_mentions(outcome.out, {"first divergence: " + changed + "\n"});
  }
}

TEST_F(ParityLayers, ACommandLineThatAsksForNothingIsWrong) {
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{},
        {"--model", "DFormer_Tiny", "--dump", path("dump.safetensors")},
        {"--model", "DFormer_Tiny", "--init", "1", "--dump", path("dump.npz")}}) {
    const Outcome outcome = testing::run(folder_, DFORMER_PARITY, arguments);
    EXPECT_EQ(outcome.exit_code, 2) << outcome.err;
  }
  EXPECT_FALSE(std::filesystem::exists(path("dump.npz")));
}

TEST_F(ParityLayers, AnotherNetworkHasLayersOfItsOwn) {
  ASSERT_EQ(parity("DFormer_Tiny", {"--init", "1", "--dump", path("dump.safetensors")}).exit_code, 0);
  const Outcome outcome =
      parity("DFormer_Small", {"--init", "1", "--compare", path("dump.safetensors"), "--tolerance", "1e9"});
  EXPECT_EQ(outcome.exit_code, 1);
  expect_mentions(outcome.out,
                  {"only here", "only in the file", "recorded as", "backbone.stages.0.2.mlp.fc1.weight"});
}

TEST_F(ParityLayers, ADumpKeepsTheBasesThatItWasMadeWith) {
  const std::vector<float> rgb(3 * 64 * 96, 0.5f), depth(64 * 96, 0.25f);
  std::vector<float> drawn(512 * 64);
  for (std::size_t i = 0; i < drawn.size(); ++i) drawn[i] = static_cast<float>(i % 7 + 1);
  write_safetensors(path("inputs.safetensors"),
                    std::vector<NamedTensor>{{"input.rgb", tensor_of({1, 64, 96, 3}, rgb)},
                                             {"input.depth", tensor_of({1, 64, 96, 1}, depth)},
                                             {"input.rand.0", tensor_of({1, 512, 64}, drawn)}});
  ASSERT_EQ(parity("DFormer_Large", {"--init", "1", "--inputs", path("inputs.safetensors"), "--dump",
                                     path("dump.safetensors")})
                .exit_code,
            0);
  const Outcome outcome = parity("DFormer_Large", {"--init", "1", "--compare", path("dump.safetensors")});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.out << outcome.err;
}

TEST_F(ParityLayers, WrongCommandLinesSaySo) {
  for (const std::vector<std::string>& with_fixtures :
       {std::vector<std::string>{"x.safetensors", "--tolerance", "1"}, {"x.safetensors", "--init", "1"}}) {
    const Outcome outcome = testing::run(folder_, DFORMER_PARITY, with_fixtures);
    EXPECT_EQ(outcome.exit_code, 2);
    expect_mentions(outcome.err, {with_fixtures[1], "--model"});
  }
  expect_mentions(parity("DFormer_Tiny", {"--dump", path("x.safetensors")}).err,
                  {"--checkpoint FILE or --init"});
  EXPECT_EQ(
      parity("DFormer_Tiny", {"--init", "1", "--dump", path("x.safetensors"), "--size", "32x5000"}).exit_code,
      2);
  folder_.write("text.safetensors", "no arrays");
  expect_mentions(parity("DFormer_Tiny", {"--init", "1", "--compare", path("text.safetensors")}).err,
                  {"text.safetensors", "text file"});
}

TEST_F(ParityLayers, PyTorchsModulesAgreeAndADifferenceIsFound) {
  if (!testing::python_has("torch")) GTEST_SKIP() << "python3 has no torch";
  const testing::Printed made = testing::run_command(std::string("python3 '") + DFORMER_TEST_PROGRAMS +
                                                     "/dump_peer.py' '" + folder_.path().string() + "'");
  ASSERT_EQ(made.exit_code, 0) << made.text;
  const auto compare = [&](const std::string& dump) {
    return parity("DFormer_Tiny", {"--checkpoint", path("network.pth"), "--compare", path(dump)});
  };
  const Outcome same = compare("same.safetensors");
  EXPECT_EQ(same.exit_code, 0) << same.out << same.err;
  expect_mentions(same.out, {"first divergence: none", "backbone.stages.3.1.mlp.fc2.weight"});
  const Outcome changed = compare("changed.safetensors");
  EXPECT_EQ(changed.exit_code, 1);
  expect_mentions(changed.out, {"first divergence: backbone.stages.2.1.attn.kv.weight\n"});
}

}  // namespace
}  // namespace dformer
