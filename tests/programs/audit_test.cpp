// dformer_eval --audit, and scripts/reproduce_scores.py, which runs the official rows: on generated scenes,
// with a checkpoint made here for one of them.
#include <algorithm>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "programs/run.hpp"
#include <dformer/backend/cpu/cpu.hpp>
#include <dformer/io/save_torch.hpp>
#include <dformer/models/zoo.hpp>
#include <dformer/nn/initialize.hpp>

namespace dformer {
namespace {

using nlohmann::json;
using testing::expect_mentions;
using testing::Outcome;
namespace fs = std::filesystem;

class OfficialRows : public ::testing::Test {
 protected:
  OfficialRows() {
    fs::create_directories(checkpoints() / "trained");
    const auto network = make_segmenter<Cpu<>>("DFormer_Tiny", 40);
    initialize(*network, 1);
    save_torch(*network, checkpoints() / "trained" / "NYUv2_DFormer_Tiny.pth");
    const Outcome scenes = testing::run(folder_, DFORMER_SCENES,
                                        {"--out", (data() / "NYUDepthv2").string(), "--train", "1", "--test",
                                         "2", "--size", "48x64", "--seed", "3"});
    if (scenes.exit_code != 0) throw std::runtime_error(scenes.err);
  }

  fs::path checkpoints() const { return folder_ / "checkpoints"; }
  fs::path data() const { return folder_ / "data"; }
  fs::path out() const { return folder_ / "out"; }
  Outcome audit(const std::vector<std::string>& more) const {
    std::vector<std::string> arguments{"--audit",     "--checkpoints", checkpoints().string(),
                                       "--data-root", data().string(), "--out",
                                       out().string()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return testing::run(folder_, DFORMER_EVAL, arguments);
  }
  json audited() const { return json::parse(testing::read_text(out() / "audit.json"))["cases"]; }
  Outcome reproduce(const std::vector<std::string>& more) const {
    std::vector<std::string> arguments{
        "python3",     DFORMER_REPRODUCE, "--checkpoints", checkpoints().string(),
        "--data-root", data().string(),   "--out",         out().string(),
        "--eval",      DFORMER_EVAL};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return testing::run(folder_, "/usr/bin/env", arguments);
  }

  testing::TemporaryFolder folder_;
};

TEST_F(OfficialRows, AuditTakesEveryStepThatCanBeTakenAndSaysWhyNot) {
  const Outcome outcome = audit({"--cases", "DFormer_Tiny_nyudepthv2,DFormer_Tiny_sunrgbd", "--images", "2"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.out << outcome.err;
  expect_mentions(outcome.out, {"0 complete, 2 with something absent, 0 failed", "has 2 of 654 images",
                                "mIoU 0.", "load: no SUNRGBD_DFormer_Tiny.pth in", "evaluate: no weights"});
  const json cases = audited();
  ASSERT_EQ(cases.size(), 2u);
  EXPECT_EQ(cases[0]["name"], "DFormer_Tiny_nyudepthv2");
  EXPECT_EQ(cases[0]["status"], "absent") << "of 654 images";
  EXPECT_EQ(cases[0]["steps"].size(), 4u);
  EXPECT_GE(cases[0]["miou"], 0.0);
  EXPECT_EQ(cases[1]["status"], "absent");
  EXPECT_EQ(cases[1]["steps"]["forward"]["status"], "ok");
  EXPECT_EQ(audit({"--cases", "DFormer_Tiny_sunrgbd", "--require-all"}).exit_code, 1);
}

TEST_F(OfficialRows, AuditFailsWhereWeightsDoNotFitStrictly) {
  const auto other = make_segmenter<Cpu<>>("DFormer_Tiny", 13);
  initialize(*other, 1);
  save_torch(*other, checkpoints() / "trained" / "NYUv2_DFormer_Tiny.pth");
  const Outcome outcome = audit({"--cases", "DFormer_Tiny_nyudepthv2"});
  EXPECT_EQ(outcome.exit_code, 1);
  expect_mentions(outcome.out, {"failed", "does not fit the network"});
  const json steps = audited()[0]["steps"];
  EXPECT_EQ(steps["load"]["status"], "failed");
  expect_mentions(steps["load"]["reason"], {"decode_head.conv_seg.weight"});
  EXPECT_FALSE(steps.contains("evaluate"));
}

TEST_F(OfficialRows, AuditFailsWhereADataSetIsIncomplete) {
  folder_.write("data/NYUDepthv2/test.txt", "RGB/missing.png Label/missing.png\n");
  EXPECT_EQ(audit({"--cases", "DFormer_Tiny_nyudepthv2"}).exit_code, 1);
  expect_mentions(audited()[0]["steps"]["evaluate"]["reason"], {"missing"});
}

TEST_F(OfficialRows, ThereAreFourteen) {
  const Outcome outcome = testing::run(folder_, DFORMER_EVAL, {"--audit", "--list"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const json rows = json::parse(outcome.out);
  ASSERT_EQ(rows.size(), 14u);
  for (const json& row : rows)  // each has a recipe of the same name
    EXPECT_TRUE(fs::exists(fs::path(DFORMER_RECIPES) / (row["name"].get<std::string>() + ".toml"))) << row;
}

TEST_F(OfficialRows, ReproductionWritesOneLineForEveryRowAndProtocol) {
  const Outcome outcome = reproduce({"--max-images", "1", "--threads", "1"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.out << outcome.err;
  const std::string csv = testing::read_text(out() / "scores.csv");
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 1 + 14 * 3);
  expect_mentions(
      csv, {"row,protocol,target,actual,difference,status,images,reason,protocol_text\n",
            "DFormer_Tiny_nyudepthv2,multi_scale_flip,51.8,", ",trial,1,1 of 654 images: not comparable,",
            "DFormerv2_L_sunrgbd,sliding,,,,skipped,,no DFormerv2_Large_SUNRGBD.pth in"});
  expect_mentions(testing::read_text(out() / "scores.md"), {"| row | protocol | target |", "| skipped |"});
  const json metrics =
      json::parse(testing::read_text(out() / "DFormer_Tiny_nyudepthv2" / "sliding.trial-1" / "metrics.json"));
  EXPECT_EQ(metrics["protocol"]["flip"], true);
  EXPECT_EQ(metrics["protocol"]["sliding"]["window"], json({480, 640}));
  EXPECT_EQ(metrics["protocol"]["scales"].size(), 5u);
}

TEST_F(OfficialRows, ReproductionKeepsOtherLinesAndScoresOtherDataAgain) {
  const std::vector<std::string> one{
      "--rows", "DFormer_Tiny_nyudepthv2", "--protocols", "single_scale", "--max-images", "1", "--threads",
      "1"};
  ASSERT_EQ(reproduce(one).exit_code, 0);
  ASSERT_EQ(reproduce({"--rows", "DFormer_Tiny_sunrgbd", "--protocols", "sliding"}).exit_code, 0);
  expect_mentions(testing::read_text(out() / "scores.csv"),
                  {"DFormer_Tiny_nyudepthv2,single_scale,", "DFormer_Tiny_sunrgbd,sliding,"});
  const std::string metrics = "out/DFormer_Tiny_nyudepthv2/single_scale.trial-1/metrics.json";
  json score = json::parse(testing::read_text(folder_ / metrics));
  score["miou"] = 0.4321;
  folder_.write(metrics, score.dump());
  expect_mentions(reproduce(one).out, {"43.21"});
  fs::copy(data(), folder_ / "other", fs::copy_options::recursive);
  std::vector<std::string> other = one;
  other.insert(other.end(), {"--data-root", (folder_ / "other").string()});
  EXPECT_EQ(reproduce(other).out.find("43.21"), std::string::npos);
}

TEST_F(OfficialRows, ATrialDoesNotReplaceTheScoreOfAllImages) {
  const std::string line = "DFormer_Tiny_nyudepthv2,single_scale,,61.25,,measured,654,,single scale\n";
  fs::create_directory(out());
  folder_.write("out/scores.csv",
                "row,protocol,target,actual,difference,status,images,reason,protocol_text\n" + line);
  const std::vector<std::string> trial{
      "--rows", "DFormer_Tiny_nyudepthv2", "--protocols", "single_scale", "--max-images", "1", "--threads",
      "1"};
  ASSERT_EQ(reproduce(trial).exit_code, 0);
  expect_mentions(testing::read_text(out() / "scores.csv"), {line});
  fs::remove_all(checkpoints() / "trained");  // nor one that is skipped
  expect_mentions(reproduce(trial).out, {"skipped"});
  expect_mentions(testing::read_text(out() / "scores.csv"), {line});
}

TEST_F(OfficialRows, ReproductionSaysWhatIsWrongInOneSentence) {
  for (const std::vector<std::string>& wrong :
       {std::vector<std::string>{"--eval", "/bin/true"}, {"--out", DFORMER_REPRODUCE "/x"}}) {
    const Outcome outcome = reproduce(wrong);
    EXPECT_EQ(outcome.exit_code, 1);
    expect_mentions(outcome.err, {wrong[0], wrong[1]});
    EXPECT_EQ(outcome.err.find("Traceback"), std::string::npos);
  }
}

TEST_F(OfficialRows, ReproductionSaysWhatFailed) {
  fs::create_directories(data() / "SUNRGBD");
  folder_.write("checkpoints/SUNRGBD_DFormer_Tiny.pth", "no checkpoint");
  const Outcome outcome =
      reproduce({"--rows", "DFormer_Tiny_sunrgbd", "--protocols", "single_scale", "--max-images", "1"});
  EXPECT_EQ(outcome.exit_code, 1);
  expect_mentions(testing::read_text(out() / "scores.csv"), {",failed,", "SUNRGBD"});
  EXPECT_EQ(reproduce({"--rows", "DFormer_Huge"}).exit_code, 1);
}

}  // namespace
}  // namespace dformer
