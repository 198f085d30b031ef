// dformer_doctor on checkpoints: of the fixtures, and of a whole network that is broken on purpose.
#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "programs/doctor.hpp"
#include "programs/doctor_weights.hpp"
#include <dformer/io/checkpoint_findings.hpp>
#include <dformer/io/torch_writer.hpp>

namespace dformer {
namespace {

namespace found = checkpoint_findings;
using testing::diagnose;
using testing::Diagnosis;
using testing::expect_mentions;
using testing::expect_only;
using testing::Weights;

class DoctorCheckpoint : public ::testing::Test {
 protected:
  Diagnosis check(const std::filesystem::path& file) const {
    return diagnose(folder_, {"--checkpoint", file.string()});
  }
  Diagnosis check(const Weights& weights) const {
    const std::filesystem::path file = folder_ / "weights.safetensors";
    weights.write(file);
    return check(file);
  }
  void expect_broken(const FindingKind& kind, const std::string& mentions,
                     const std::function<void(Weights&)>& damage) const {
    SCOPED_TRACE(kind.name);
    Weights weights("DFormer_Tiny");
    damage(weights);
    expect_only(check(weights), kind, mentions);
  }

  /// What the check says of `name`, in one line.
  static std::string fact(const Diagnosis& diagnosis, const std::string& name) {
    for (const auto& checkup : diagnosis.json.at("checks")) {
      for (const auto& each : checkup.at("facts")) {
        if (each.at("name") == name) return each.at("text").get<std::string>();
      }
    }
    return {};
  }

  testing::TemporaryFolder folder_;
};

TEST_F(DoctorCheckpoint, SoundOnesAreRecognised) {
  const auto expect_network = [&](const Weights& weights, const std::string& text) {
    const Diagnosis diagnosis = check(weights);
    EXPECT_EQ(diagnosis.kinds(), std::set<std::string>{}) << diagnosis.outcome.out;
    expect_mentions(diagnosis.outcome.out, {text, "safetensors, weights under 'top level'", "weights only"});
  };
  Weights counted("DFormer_Tiny");  // float16 has no such count, and need not
  counted.counters.push_back({"decode_head.squeeze.bn.num_batches_tracked", 70000});
  expect_network(counted, "DFormer_Tiny, 40 classes");
  expect_network(Weights("DFormer_Small", 13), "DFormer_Small, 13 classes");
  expect_network(Weights("DFormerv2_S", 37, OfficialDataset::sunrgbd),
                 "DFormerv2_S like sunrgbd, 37 classes");

  Weights backbone("DFormer_Tiny");
  backbone.remove("decode_head.");
  backbone.entries.push_back({"head.weight", {1000, 2}, std::vector<float>(2000, 0.5f)});
  backbone["head.weight"].values[0] = 1;
  const Diagnosis diagnosis = check(backbone);
  EXPECT_EQ(diagnosis.kinds(), std::set<std::string>{}) << diagnosis.outcome.out;
  EXPECT_FALSE(diagnosis.finding(found::backbone_only).is_null());
}

TEST_F(DoctorCheckpoint, ATrainingStateIsToldFromWeights) {
  const Weights weights("DFormer_Tiny");
  TorchDict model;
  for (const Weights::Entry& entry : weights.entries)
    model.add(entry.name, tensor_view(entry.shape, entry.values));
  std::vector<float> moment(16, 0.5f);
  const std::vector<float> others(7, 0.5f);
  const auto write_with = [&](const TorchDict& of_parameter, const TorchDict& progress) {
    TorchDict state;
    state.add(std::int64_t{0}, of_parameter);
    TorchDict file{{"model", model}, {"optimizer", TorchDict{{"state", state}}}};
    for (const TorchEntry& entry : progress.entries) file.entries.push_back(entry);
    write_torch_checkpoint(folder_ / "last.pth", file);
  };
  const auto write = [&] {
    write_with({{"exp_avg", tensor_view({16}, moment)}, {"exp_avg_sq", tensor_view({16}, moment)}},
               {{"epoch", 7}});
  };
  write();
  const Diagnosis sound = check(folder_ / "last.pth");
  EXPECT_EQ(sound.kinds(), std::set<std::string>{});
  expect_mentions(sound.outcome.out, {"training can go on, epoch 7", "under 'model'"});

  // What training would refuse.
  const auto expect_lacking = [&](const std::string& what) {
    SCOPED_TRACE(what);
    const std::string training = fact(check(folder_ / "last.pth"), "training");
    expect_mentions(training, {"training cannot go on from it", what});
    EXPECT_EQ(training.find("can go on"), training.npos);
  };
  const TorchDict moments{{"exp_avg", tensor_view({16}, moment)}, {"exp_avg_sq", tensor_view({16}, moment)}};
  write_with(moments, {{"iteration", 3}});
  expect_lacking("iteration 3; training cannot go on from it: it has no epoch");
  write_with(moments, {{"epoch", "7"}});
  expect_lacking("its epoch is a text, '7'");
  write_with(moments, {{"epoch", 1.5}});
  expect_lacking("its epoch is no whole number");
  write_with(moments, {{"epoch", -1}});
  expect_lacking("its epoch is -1");
  write_with({{"exp_avg", tensor_view({16}, moment)}}, {{"epoch", 7}});
  expect_lacking("epoch 7; training cannot go on from it: optimizer.state.0.exp_avg_sq is missing");
  write_with({{"exp_avg", tensor_view({7}, others)}, {"exp_avg_sq", tensor_view({7}, others)}},
             {{"epoch", 7}});
  expect_lacking("optimizer.state.0.exp_avg has shape (7), which none of the weights has");
  write_with({{"step", 3}}, {{"epoch", 7}});
  expect_lacking("its optimizer has no moments in torch.optim's form");
  write_torch_checkpoint(
      folder_ / "last.pth",
      TorchDict{{"model", model},
                {"optimizer", TorchDict{{"param_groups", TorchList{TorchDict{{"params", TorchList{0, 1}}}}},
                                        {"state", TorchDict{}.add(std::int64_t{0}, moments)}}},
                {"epoch", 7}});
  expect_lacking("optimizer.state.1.exp_avg is missing, and parameters 0 to 1 need one");

  moment[3] = std::numeric_limits<float>::quiet_NaN();
  write();
  expect_only(check(folder_ / "last.pth"), found::not_finite, "optimizer.state.0.exp_avg (16): 1 NaN");
}

TEST_F(DoctorCheckpoint, NumbersThatCannotBeRight) {
  const std::string conv = "backbone.downsample_layers.1.1.weight";
  const std::string norm = "decode_head.squeeze.bn.running_var";
  expect_broken(found::not_finite, conv + " (64, 32, 3, 3): 1 NaN, 2 infinite of 18432",
                [&](Weights& weights) {
                  auto& values = weights[conv].values;
                  values[5] = std::numeric_limits<float>::quiet_NaN();
                  values[6] = std::numeric_limits<float>::infinity();
                  values[7] = -std::numeric_limits<float>::infinity();
                });
  expect_broken(found::negative_variance, norm, [&](Weights& weights) { weights[norm].values[0] = -1e-3f; });
  expect_broken(found::zero_variance, norm, [&](Weights& weights) { weights[norm].values[0] = 0; });
  expect_broken(found::zero_weights, conv, [&](Weights& weights) { weights.fill(conv, 0); });
  expect_broken(found::equal_weights, conv, [&](Weights& weights) { weights.fill(conv, 0.01f); });
  expect_broken(found::huge_weights, conv, [&](Weights& weights) { weights[conv].values[9] = 2000; });
  expect_broken(found::float16_overflow, norm, [&](Weights& weights) { weights[norm].values[0] = 70000; });
  expect_broken(found::untrained_scales, "tensors",
                [](Weights& weights) { weights.fill("layer_scale", 1e-6f); });
  expect_broken(found::fresh_statistics, "norms", [](Weights& weights) { weights.fill("running_var", 1); });
}

TEST_F(DoctorCheckpoint, TensorsThatDoNotFit) {
  expect_broken(found::missing_tensors, "decode_head.align.conv.weight",
                [](Weights& weights) { weights.remove("decode_head.align.conv.weight"); });
  expect_broken(found::unused_tensors, "auxiliary_head.weight", [](Weights& weights) {
    weights.entries.push_back({"auxiliary_head.weight", {2}, {1, 2}});
  });
  expect_broken(found::other_shapes, "decode_head.conv_seg.bias: file (39), DFormer_Tiny (40)",
                [](Weights& weights) {
                  weights["decode_head.conv_seg.bias"] = {
                      "decode_head.conv_seg.bias", {39}, std::vector<float>(39, 0.5f)};
                });
  expect_broken(found::unknown_network, "nearest", [](Weights& weights) {
    for (Weights::Entry& entry : weights.entries) entry.name = "other." + entry.name + ".x";
  });
  expect_only(check(testing::fixture("checkpoints/full_v1_tiny_keys.pth")), found::other_shapes,
              "DFormer_Tiny (16, 3, 3, 3)");
  expect_only(check(testing::fixture("checkpoints/full_v2_small_keys.pth")), found::other_shapes,
              "DFormerv2_S");
  expect_only(check(testing::fixture("checkpoints/legacy.pth")), found::unknown_network, "names");
}

TEST_F(DoctorCheckpoint, OtherFirstWordsAreSeenThrough) {
  const auto rename = [](Weights& weights, const std::string& from, const std::string& to) {
    for (Weights::Entry& entry : weights.entries) {
      if (entry.name.starts_with(from)) entry.name.replace(0, from.size(), to);
    }
  };
  const auto expect_command = [&](const Weights& weights, const std::string& network,
                                  const std::string& renames) {
    SCOPED_TRACE(renames);
    const Diagnosis diagnosis = check(weights);
    expect_only(diagnosis, found::unknown_network, "but for first words they are " + network + "'s, ");
    expect_only(diagnosis, found::unknown_network, "with dformer_convert IN OUT" + renames + "\n");
  };
  Weights encoder("DFormer_Small");
  rename(encoder, "backbone.", "encoder.");
  expect_command(encoder, "DFormer_Small", " --rename encoder.=backbone.");
  encoder.remove("decode_head.");
  expect_command(encoder, "DFormer_Small", " --rename encoder.=backbone.");

  Weights both("DFormer_Tiny");
  rename(both, "backbone.", "net.");
  rename(both, "decode_head.", "decoder.");
  expect_command(both, "DFormer_Tiny", " --rename decoder.=decode_head. --rename net.=backbone.");

  Weights wrapped("DFormer_Tiny");
  rename(wrapped, "", "segmenter.");
  expect_command(wrapped, "DFormer_Tiny", " --rename segmenter.=");
}

TEST_F(DoctorCheckpoint, FilesThatAreNone) {
  const auto unreadable = [&](const std::filesystem::path& file, const std::string& mentions) {
    SCOPED_TRACE(file);
    expect_only(check(file), found::unreadable, mentions);
  };
  unreadable(folder_ / "nothing.pth", "io_failure: ");
  unreadable(testing::fixture("checkpoints/bad_truncated.pth"), "corrupt_container");
  unreadable(testing::fixture("checkpoints/bad_crc.pth"), "crc_mismatch at byte ");
  unreadable(testing::fixture("checkpoints/bad_lfs_pointer.pth"), "git lfs pull");
  unreadable(testing::fixture("checkpoints/evil_os_system.pkl"), "unsafe_pickle");
}

}  // namespace
}  // namespace dformer
