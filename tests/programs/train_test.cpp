// dformer_train as a user runs it, on a small data set of made rooms, with the smallest network: what it
// writes, how it stops and goes on, and what it says of input that is wrong.
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>
#include <sys/stat.h>

#include "common/stop_signals.hpp"
#include "programs/process.hpp"
#include "programs/run.hpp"
#include <dformer/backend/cpu/cpu.hpp>
#include <dformer/data/scene/write_dataset.hpp>
#include <dformer/io/checkpoint.hpp>
#include <dformer/io/load.hpp>
#include <dformer/io/save_torch.hpp>
#include <dformer/models/zoo.hpp>

namespace dformer {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::expect_mentions;
using testing::Outcome;
using testing::Process;
using testing::read_text;
using testing::TemporaryFolder;
using Words = std::vector<std::string>;

class Train : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    data_ = new TemporaryFolder;
    scene::DatasetOptions options{.train = 8, .test = 2};
    options.view.width = 96;
    options.view.height = 64;
    scene::write_dataset(*data_ / "scenes", options);
  }
  static void TearDownTestSuite() { delete data_; }

  /// Five steps an epoch of two images each; scored only where asked.
  static Words recipe(const Words& more = {}) {
    Words words{"--cfg-options",
                "dataset.root=" + scenes().string(),
                "batch_size=2",
                "machine.threads=1",
                "augmentation.crop=[64, 64]",
                "optimizer.parameters=full",
                "evaluation.epochs=never",
                "evaluation.scales=[1]",
                "evaluation.size_multiple=1",
                "evaluation.flip=false",
                "checkpoints.keep_best=1"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  Words arguments(const std::string& out, const Words& more) const {
    Words words{DFORMER_RECIPES "/DFormer_Tiny_nyudepthv2.toml", "--out", (folder_ / out).string()};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  Outcome train(const std::string& out, const Words& more) const {
    return testing::run(folder_, DFORMER_TRAIN, arguments(out, more));
  }
  static fs::path scenes() { return *data_ / "scenes"; }
  fs::path last(const std::string& out) const { return folder_ / out / "last.pth"; }
  std::int64_t iterations(const std::string& out) const {
    return read_checkpoint(last(out)).integer("iteration").value_or(-1);
  }
  /// Another one when a file has taken its place; 0 where there is none.
  static ino_t file_number(const fs::path& file) {
    struct stat status {};
    return ::stat(file.c_str(), &status) == 0 ? status.st_ino : 0;
  }
  /// A copy of the data, which a test may damage.
  fs::path own_data() const {
    fs::copy(scenes(), folder_ / "data", fs::copy_options::recursive);
    return folder_ / "data";
  }

  static inline TemporaryFolder* data_ = nullptr;
  TemporaryFolder folder_;
};

TEST_F(Train, WritesARunThatExplainsItself) {
  const Outcome outcome = train("run", recipe({"evaluation.epochs=last", "dataset.classes=classes.txt",
                                               "--epochs", "2", "--max-val-iters", "1"}));
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  expect_mentions(outcome.out,
                  {"dformer 0", "DFormer_Tiny, 40 classes", "8 images of NYUDepthv2", "Random weights",
                   "Epoch 1/2 Iter 1/5: lr=6.0000e-05 loss=", "Epoch 1/2 Iter 2/5: lr=0.0000e+00 loss=",
                   "Epoch 2/2 Iter 5/5: lr=", "total_loss=", "Epoch 2 validation result: mIoU", "images/s",
                   "Ended after 2 epochs, 10 steps"});
  expect_mentions(read_text(folder_ / "run/log.txt"),
                  {"Epoch 2/2 Iter 5/5: lr=", "class", "protocol: scale 1"});
  expect_mentions(read_text(folder_ / "run/recipe.toml"),
                  {"batch_size = 2", "crop = [64, 64]", "epochs = \"last\"", "root = \"/"});
  const json run = json::parse(read_text(folder_ / "run/run.json"));
  EXPECT_EQ(run["parameters"], 6003912);
  EXPECT_EQ(run["train"]["images"], 8);
  EXPECT_FALSE(run["machine"]["processor"].get<std::string>().empty());
  EXPECT_EQ(json::parse(read_text(folder_ / "run/score.json"))["images"], 1);
  EXPECT_EQ(cv::imread((folder_ / "run/curves.png").string()).channels(), 3);
  EXPECT_FALSE(fs::is_empty(folder_ / "run/tensorboard"));
  const std::string metrics = read_text(folder_ / "run/metrics.jsonl");
  EXPECT_EQ(std::count(metrics.begin(), metrics.end(), '\n'), 11) << "ten losses and a score";
  EXPECT_EQ(iterations("run"), 10);

  // The same folder is not written over.
  const Outcome again = train("run", recipe());
  EXPECT_EQ(again.exit_code, 1);
  expect_mentions(again.err, {"run", "holds a run already", "--resume auto"});
}

TEST_F(Train, TheBestCheckpointScoresAsItWasScored) {
  ASSERT_EQ(
      train("run", recipe({"evaluation.epochs=last", "optimizer.lr=1e-3", "ema_decay=0.8", "--epochs", "6"}))
          .exit_code,
      0);
  fs::path best;
  for (const auto& file : fs::directory_iterator(folder_ / "run")) {
    if (file.path().filename().string().starts_with("epoch-6_miou_")) best = file.path();
  }
  ASSERT_FALSE(best.empty());
  const Outcome eval =
      testing::run(folder_, DFORMER_EVAL,
                   {"--model", "DFormer_Tiny", "--checkpoint", best.string(), "--data", scenes().string(),
                    "--out", (folder_ / "eval").string(), "--threads", "1"});
  ASSERT_EQ(eval.exit_code, 0) << eval.err;
  const json expected = json::parse(read_text(folder_ / "run/score.json"));
  const json actual = json::parse(read_text(folder_ / "eval/metrics.json"));
  EXPECT_EQ(actual["classes"], expected["classes"]);
  EXPECT_EQ(actual["protocol"], expected["protocol"]);
  EXPECT_GT(expected["aacc"], 0.0);
}

TEST_F(Train, GoesOnToTheLastBit) {
  const auto run = [&](const std::string& out, const Words& more) {
    Words words = recipe({"ema_decay=0.9", "optimizer.clip_norm=1", "--max-iters"});
    words.insert(words.end(), more.begin(), more.end());
    const Outcome outcome = train(out, words);
    ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  };
  run("whole", {"8"});
  run("part", {"4"});
  ASSERT_EQ(iterations("part"), 4);
  run("part", {"8", "--resume", "auto"});
  ASSERT_EQ(iterations("part"), 8);
  EXPECT_TRUE(read_text(last("whole")) == read_text(last("part"))) << "the two states differ";
  const std::string metrics = read_text(folder_ / "part/metrics.jsonl");
  EXPECT_EQ(std::count(metrics.begin(), metrics.end(), '\n'), 10) << "eight losses, and a score at each end";
  // Neither the number of threads changes a bit, nor blocks that are computed twice.
  run("other", {"8", "--threads", "2", "--workers", "0", "--checkpoint-blocks"});
  EXPECT_TRUE(read_text(last("whole")) == read_text(last("other"))) << "the two states differ";
}

TEST_F(Train, ASignalEndsTheStepAndSaves) {
  const std::pair<int, int> signals[] = {{SIGINT, 130}, {SIGTERM, 143}};
  std::int64_t done = 0;
  for (const auto& [signal, code] : signals) {
    Words words = recipe({"--resume", "auto"});
    Process process(folder_ / std::to_string(signal), DFORMER_TRAIN, arguments("run", words));
    ASSERT_TRUE(process.says("Iter")) << process.output();
    process.send(signal);
    EXPECT_EQ(process.wait(), code);
    expect_mentions(process.output(), {"Stopping", "Stopped after", "last.pth", "--resume auto"});
    EXPECT_GT(iterations("run"), done);
    done = iterations("run");
  }
  const Outcome end = train("run", recipe({"--resume", "auto", "--max-iters", std::to_string(done + 2)}));
  ASSERT_EQ(end.exit_code, 0) << end.err;
  expect_mentions(end.out, {"Resumed", "Going on after", std::to_string(done) + " steps"});
  EXPECT_EQ(iterations("run"), done + 2);
}

TEST_F(Train, ASecondSignalEndsAtOnce) {
  const auto child = [](int count) {
    const programs::StopSignals signals;
    for (int i = 0; i < count; ++i) ::raise(SIGTERM);
    ::_exit(signals.stop() ? signals.exit_code() - 100 : 0);
  };
  EXPECT_EXIT(child(0), ::testing::ExitedWithCode(0), "");
  EXPECT_EXIT(child(1), ::testing::ExitedWithCode(43), "");
  EXPECT_EXIT(child(2), ::testing::ExitedWithCode(143), "");
}

TEST_F(Train, KilledAtAnyMomentItsStateIsWhole) {
  // A state is 72 MB, so a kill some moments after one was put in place finds the next one half-written.
  std::int64_t done = 0;
  for (int i = 0; i < 6; ++i) {
    const auto before = file_number(last("run"));
    Process process(folder_ / std::to_string(i), DFORMER_TRAIN,
                    arguments("run", recipe({"checkpoints.every_iterations=1", "--resume", "auto"})));
    for (int wait = 0; wait < 6000 && file_number(last("run")) == before; ++wait)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    std::this_thread::sleep_for(std::chrono::milliseconds(37 * i));
    process.send(SIGKILL);
    ASSERT_EQ(process.wait(), 128 + SIGKILL) << process.output();
    const Checkpoint state = read_checkpoint(last("run"));
    EXPECT_GT(*state.integer("iteration"), done);
    done = *state.integer("iteration");
    for (const TensorRecord& tensor : state.tensors()) tensor.to_float32();
    for (const TensorRecord& tensor : state.other_tensors()) tensor.to_float32();
  }
  const Outcome end = train("run", recipe({"--resume", "auto", "--max-iters", std::to_string(done + 1)}));
  ASSERT_EQ(end.exit_code, 0) << end.err;
  EXPECT_EQ(iterations("run"), done + 1);
  for (const auto& file : fs::directory_iterator(folder_ / "run")) {
    EXPECT_EQ(file.path().string().find(".partial"), std::string::npos) << file.path();
  }
}

TEST_F(Train, AFileThatCannotGrowLeavesTheOldOne) {
  ASSERT_EQ(train("run", recipe({"--max-iters", "2"})).exit_code, 0);
  const std::string before = read_text(last("run"));
  Process process(folder_ / "output", DFORMER_TRAIN,
                  arguments("run", recipe({"--max-iters", "4", "--resume", "auto"})), 30'000'000);
  EXPECT_EQ(process.wait(), 1);
  expect_mentions(process.output(), {"dformer_train: [", "last.pth] cannot be written", "free space"});
  EXPECT_TRUE(read_text(last("run")) == before);
  EXPECT_EQ(train("run", recipe({"--max-iters", "4", "--resume", "auto"})).exit_code, 0);
  EXPECT_EQ(iterations("run"), 4);
}

TEST_F(Train, StartsFromOtherWeights) {
  ASSERT_EQ(train("first", recipe({"--max-iters", "2"})).exit_code, 0);
  const std::string file = last("first").string();
  const Outcome backbone = train("backbone", recipe({"--max-iters", "1", "--pretrained", file}));
  ASSERT_EQ(backbone.exit_code, 0) << backbone.err;
  expect_mentions(backbone.out, {"Backbone: ", "tensors applied"});

  const Outcome other =
      train("classes",
            recipe({"dataset.num_classes=41", "dataset.classes=", "--load-from", file, "--max-iters", "1"}));
  ASSERT_EQ(other.exit_code, 0) << other.err;
  expect_mentions(other.out, {"Weights: ", "decode_head.conv_seg.weight", "skipped as asked"});

  const Outcome wrong = train("wrong", recipe({"model=DFormerv2_S", "--pretrained", file}));
  EXPECT_EQ(wrong.exit_code, 1);
  expect_mentions(wrong.err, {"last.pth", "does not fit"});
  EXPECT_EQ(train("both", recipe({"--pretrained", file, "--load-from", file})).exit_code, 2);
}

TEST_F(Train, WeightsAloneAreNoStateToGoOnFrom) {
  ASSERT_EQ(train("run", recipe({"--max-iters", "2"})).exit_code, 0);
  const auto network = make_segmenter<Cpu<>>("DFormer_Tiny");
  load(*network, last("run"));
  save_torch(*network, folder_ / "weights.pth");
  const Outcome outcome =
      train("next", recipe({"--max-iters", "1", "--resume", (folder_ / "weights.pth").string()}));
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  expect_mentions(outcome.out, {"weights.pth] gives weights only, it has no state of an optimizer",
                                "training starts at epoch 1", "Epoch 1/500 Iter 1/5"});
}

TEST_F(Train, WhatIsWrongIsASentenceThatNamesIt) {
  const auto refused = [&](const Words& more, std::initializer_list<std::string> parts) {
    const Outcome outcome = train("refused", recipe(more));
    EXPECT_EQ(outcome.exit_code, 1) << outcome.out;
    expect_mentions(outcome.err, parts);
    EXPECT_FALSE(fs::exists(last("refused")));
    return outcome;
  };
  refused({"dataset.nmu_classes=3"}, {"dataset.nmu_classes", "did you mean dataset.num_classes?"});
  refused({"--epochs", "0"}, {"[recipe] epochs"});
  refused({"dataset.num_classes=5"}, {"dataset.classes", "nyu40", "40", "5"});
  refused({"dataset.test=no.txt"}, {"no.txt", "cannot be opened"});
  refused({"--resume", "/nowhere/last.pth"}, {"/nowhere/last.pth"});
  refused({"--pretrained", "/nowhere/backbone.pth"}, {"/nowhere/backbone.pth"});
  refused({"dataset.root="}, {"dataset.root", "--data DIR"});
  refused({"dataset.root=/nowhere"}, {"/nowhere", "is no folder"});
}

TEST_F(Train, DamagedDataIsNamed) {
  const fs::path data = own_data();
  const auto refused = [&](std::initializer_list<std::string> parts) {
    const Outcome outcome = train("run", recipe({"--data", data.string()}));
    EXPECT_EQ(outcome.exit_code, 1) << outcome.out;
    expect_mentions(outcome.err, parts);
  };
  const fs::path label = data / "Label" / "train_00003.png";
  const cv::Mat good = cv::imread(label.string(), cv::IMREAD_UNCHANGED);
  cv::imwrite(label.string(), cv::Mat(good.size(), CV_8UC1, cv::Scalar(99)));
  refused({"train_00003.png", "99", "40 classes"});
  cv::imwrite(label.string(), cv::Mat(10, 10, CV_8UC1, cv::Scalar(1)));
  refused({"train_00003.png", "10x10", "64x96"});
  fs::remove(label);
  refused({"train_00003.png", "no such image", "train.txt"});
  folder_.write("data/train.txt", "\n");
  refused({"train.txt", "lists no image"});
}

TEST_F(Train, ACommandLineThatIsWrong) {
  EXPECT_EQ(testing::run(folder_, DFORMER_TRAIN, {}).exit_code, 2);
  EXPECT_EQ(testing::run(folder_, DFORMER_TRAIN, {DFORMER_RECIPES "/DFormer_Tiny_nyudepthv2.toml"}).exit_code,
            2);
  folder_.write("file", "");
  const Outcome outcome = train("file/run", recipe());
  EXPECT_EQ(outcome.exit_code, 1);
  expect_mentions(outcome.err, {"file/run", "cannot be made", "--out"});
  const Outcome printed = testing::run(folder_, DFORMER_TRAIN, {"--print-recipe", "DFormerv2_B", "sunrgbd"});
  EXPECT_EQ(printed.exit_code, 0);
  EXPECT_EQ(printed.out, read_text(DFORMER_RECIPES "/DFormerv2_B_sunrgbd.toml"));
  EXPECT_EQ(testing::run(folder_, DFORMER_TRAIN, {"--print-recipe", "DFormerv2_B", "kitti"}).exit_code, 1);
}

}  // namespace
}  // namespace dformer
