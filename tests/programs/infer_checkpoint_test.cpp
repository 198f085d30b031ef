// dformer_infer with checkpoints: those that fit, and those of another network or other classes.
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>

#include "programs/run.hpp"
#include <dformer/backend/cpu/cpu.hpp>
#include <dformer/io/save_safetensors.hpp>
#include <dformer/models/zoo.hpp>
#include <dformer/nn/initialize.hpp>

namespace dformer {
namespace {

using testing::expect_mentions;
using testing::Outcome;

class InferCheckpoint : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    const auto network = make_segmenter<Cpu<>>("DFormer_Tiny");
    initialize(*network, 7);
    weights_ = new testing::TemporaryFolder;
    save_safetensors(*network, *weights_ / "tiny.safetensors");
  }
  static void TearDownTestSuite() { delete weights_; }

  InferCheckpoint() {
    const cv::Rect part(200, 200, 128, 96);
    for (const char* name : {"rgb.png", "depth.png"}) {
      const std::string file = testing::sample("livingroom_kinect2_512", name).string();
      cv::imwrite((folder_ / name).string(), cv::imread(file, cv::IMREAD_UNCHANGED)(part));
    }
  }

  /// On a part of a real pair.
  Outcome infer(std::vector<std::string> more, const std::string& out = "out") const {
    std::vector<std::string> arguments{"--rgb",
                                       (folder_ / "rgb.png").string(),
                                       "--depth",
                                       (folder_ / "depth.png").string(),
                                       "--depth-encoding",
                                       "sun",
                                       "--write",
                                       "labels",
                                       "--out",
                                       (folder_ / out).string()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return testing::run(folder_, DFORMER_INFER, arguments);
  }
  static std::string weights() { return (*weights_ / "tiny.safetensors").string(); }

  static inline testing::TemporaryFolder* weights_ = nullptr;
  testing::TemporaryFolder folder_;
};

TEST_F(InferCheckpoint, GivesTheLabelsOfItsWeights) {
  const Outcome outcome = infer({"--model", "DFormer_Tiny", "--checkpoint", weights()});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(outcome.err, "");
  ASSERT_EQ(infer({"--model", "DFormer_Tiny", "--init", "7"}, "same").exit_code, 0);
  ASSERT_EQ(infer({"--model", "DFormer_Tiny", "--init", "8"}, "other").exit_code, 0);
  const std::string labels = testing::read_text(folder_ / "out/labels/rgb.png");
  EXPECT_TRUE(labels == testing::read_text(folder_ / "same/labels/rgb.png"));
  EXPECT_FALSE(labels == testing::read_text(folder_ / "other/labels/rgb.png"));
  const auto summary = nlohmann::json::parse(testing::read_text(folder_ / "out/summary.json"));
  EXPECT_EQ(summary["weights"]["checkpoint"], weights());
}

TEST_F(InferCheckpoint, OfATrainingThatDiverged) {
  const auto network = make_segmenter<Cpu<>>("DFormer_Tiny");
  initialize(*network, 7);
  auto& parameter = *parameters(*network)[0].parameter;
  std::vector<float> values(static_cast<std::size_t>(parameter.shape().numel()), 0.5f);
  values.back() = NAN;
  set_values(parameter, std::span<const float>(values), device_of(*network));
  const std::string file = (folder_ / "diverged.safetensors").string();
  save_safetensors(*network, file);
  const Outcome outcome = infer({"--model", "DFormer_Tiny", "--checkpoint", file});
  EXPECT_EQ(outcome.exit_code, 1);
  expect_mentions(outcome.err, {"diverged.safetensors", "NaN or infinity", "dformer_doctor --checkpoint"});
}

TEST_F(InferCheckpoint, OfAnotherNetwork) {
  const Outcome outcome = infer({"--model", "DFormer_Small", "--checkpoint", weights()});
  EXPECT_EQ(outcome.exit_code, 1);
  expect_mentions(outcome.err, {"dformer_infer: ", "tiny.safetensors", "mismatched", "--model"});
  EXPECT_FALSE(std::filesystem::exists(folder_ / "out"));
}

TEST_F(InferCheckpoint, OfOtherClasses) {
  const std::vector<std::string> arguments{"--model", "DFormer_Tiny", "--checkpoint",
                                           weights(), "--classes",    "sunrgbd37"};
  const Outcome refused = infer(arguments);
  EXPECT_EQ(refused.exit_code, 1);
  expect_mentions(refused.err, {"decode_head.conv_seg.weight", "--classes", "--skip-mismatched"});

  std::vector<std::string> skipping = arguments;
  skipping.insert(skipping.end(), {"--skip-mismatched", "decode_head.conv_seg"});
  const Outcome accepted = infer(skipping);
  EXPECT_EQ(accepted.exit_code, 0) << accepted.err;
  expect_mentions(accepted.err, {"skipped", "decode_head.conv_seg.weight"});
}

}  // namespace
}  // namespace dformer
