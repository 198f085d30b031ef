// Whole runs of a small network: that a run which was stopped goes on as if it had not been, and what is kept
// of it.
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "images/image_test.hpp"
#include "programs/run.hpp"
#include "train/small_run.hpp"
#include <dformer/io/checkpoint.hpp>
#include <dformer/io/save_torch.hpp>

namespace dformer {
namespace {

namespace fs = std::filesystem;
using testing::error_of;
using testing::expect_mentions;
using testing::read_text;
using testing::SmallRun;
using testing::SmallRunOptions;
using testing::TemporaryFolder;

class Fit : public ::testing::Test {
 protected:
  SmallRunOptions options(std::int64_t iterations, const std::string& name) const {
    fs::create_directories(folder_ / name);
    SmallRunOptions result;
    result.fit.max_iterations = iterations;
    result.fit.folder = folder_ / name;
    return result;
  }
  std::string last(const std::string& name) const { return read_text(folder_ / name / "last.pth"); }

  /// `all` steps at once, and the same with a new process's state after the first `first` of them.
  void expect_same(SmallRunOptions whole, std::int64_t all, std::int64_t first) const {
    SCOPED_TRACE(std::to_string(first) + " of " + std::to_string(all));
    whole.fit.folder = folder_ / "whole";
    fs::create_directories(whole.fit.folder);
    whole.fit.max_iterations = all;
    SmallRun(whole).fit();
    SmallRunOptions part = whole;
    part.fit.folder = folder_ / "part";
    fs::create_directories(part.fit.folder);
    part.fit.max_iterations = first;
    SmallRun(part).fit();
    part.fit.max_iterations = all;
    part.seed = 99;  // other weights and another seed, were they not those of the file
    SmallRun second(part);
    const ResumedTraining resumed = second.resume(part.fit.folder / "last.pth");
    EXPECT_TRUE(resumed.complete && resumed.same_epochs);
    EXPECT_EQ(resumed.progress.iteration, first);
    EXPECT_EQ(resumed.progress.seed, 7u);
    second.fit();
    EXPECT_FALSE(last("whole").empty());
    EXPECT_TRUE(last("whole") == last("part")) << "the two states differ";
  }

  TemporaryFolder folder_;
};

TEST_F(Fit, GoesOnToTheLastBit) {
  SmallRunOptions whole;
  whole.ema_decay = 0.9;
  whole.trainer.clip_norm = 1.0;
  expect_same(whole, 10, 5);  // an epoch has four steps
  expect_same(whole, 8, 4);   // at the end of one
}

TEST_F(Fit, GoesOnToTheLastBitWithSgdAndAccumulation) {
  SmallRunOptions whole;
  whole.rule = Sgd{.momentum = 0.9, .weight_decay = 1e-4};
  whole.trainer.accumulate = 3;
  expect_same(whole, 12, 6);
}

TEST_F(Fit, CheckpointedBlocksGiveTheSame) {
  SmallRunOptions plain = options(4, "plain");
  SmallRunOptions checkpointed = options(4, "checkpointed");
  checkpointed.trainer.checkpoint_blocks = true;
  SmallRun(plain).fit();
  SmallRun(checkpointed).fit();
  EXPECT_TRUE(last("plain") == last("checkpointed"));
}

TEST_F(Fit, ScoringChangesNothing) {
  SmallRunOptions plain = options(0, "plain");
  SmallRunOptions scored = options(0, "scored");
  plain.fit.epochs = scored.fit.epochs = 2;
  scored.fit.evaluates = [](std::int64_t) { return true; };
  SmallRun(plain).fit();
  const FitResult result = SmallRun(scored).fit();
  EXPECT_EQ(result.progress.epoch, 2);
  EXPECT_EQ(result.progress.iteration, 8);
  ASSERT_TRUE(result.last_score.has_value());
  EXPECT_EQ(result.last_score->images, 2u);
  EXPECT_TRUE(last("plain") == last("scored"));
}

TEST_F(Fit, AnotherSeedIsAnotherRun) {
  SmallRunOptions one = options(3, "one");
  SmallRunOptions two = options(3, "two");
  two.seed = 8;
  SmallRun(one).fit();
  SmallRun(two).fit();
  EXPECT_FALSE(last("one") == last("two"));
}

TEST_F(Fit, TheBestCheckpointLoadsAsWhatWasScored) {
  SmallRunOptions averaged = options(0, "run");
  averaged.ema_decay = 0.5;
  averaged.fit.epochs = 3;
  averaged.fit.evaluates = [](std::int64_t epoch) { return epoch > 1; };
  SmallRun run(averaged);
  const FitResult result = run.fit();
  std::size_t found = 0;
  for (const std::string& name : {std::string("epoch-2"), std::string("epoch-3")}) {
    for (const auto& file : fs::directory_iterator(folder_ / "run")) {
      if (file.path().filename().string().starts_with(name)) ++found;
    }
  }
  EXPECT_EQ(found, 2u);
  // last.pth is that of the last score.
  testing::SmallNetwork<Cpu<>> loaded;
  load(loaded, folder_ / "run" / "last.pth");
  EXPECT_EQ(evaluate(loaded, run.validation, averaged.fit.protocol).confusion.counts(),
            result.last_score->confusion.counts());
  // and the weights that are trained are those under `model`.
  Checkpoint checkpoint = read_checkpoint(folder_ / "run" / "last.pth");
  EXPECT_EQ(checkpoint.selected(), "state_dict_ema");
  const std::string name = "decode_head.conv_seg.weight";
  const std::vector<float> average = checkpoint.find(name)->to_float32();
  ASSERT_TRUE(checkpoint.select("model"));
  EXPECT_NE(checkpoint.find(name)->to_float32(), average);
  EXPECT_NE(checkpoint.find_other("state_dict_ema." + name), nullptr);
  EXPECT_FALSE(checkpoint.select("nothing"));
}

TEST_F(Fit, TheAverageFollowsEveryUpdate) {
  SmallRunOptions averaged = options(5, "run");
  averaged.ema_decay = 0.75;
  SmallRun run(averaged);
  const auto& parameter = *parameters(run.network).front().parameter;
  const auto values_of = [&](const Cpu<>::Tensor& tensor) {
    std::vector<float> values(static_cast<std::size_t>(parameter.shape().numel()));
    Cpu<>::weight_to_host(tensor, parameter.layout(), values);
    return values;
  };
  std::vector<float> expected = values_of(parameter.value().value());
  run.fit({.step = [&](const TrainStep&, std::int64_t) {
    const std::vector<float> now = values_of(parameter.value().value());
    for (std::size_t i = 0; i < now.size(); ++i) expected[i] = 0.75f * expected[i] + 0.25f * now[i];
  }});
  const std::vector<float> actual = values_of(run.average->entries().front().average);
  for (std::size_t i = 0; i < actual.size(); ++i) ASSERT_NEAR(actual[i], expected[i], 1e-6f) << i;
}

TEST_F(Fit, IsSavedBetweenUpdatesOnly) {
  SmallRunOptions accumulated = options(0, "run");
  accumulated.trainer.accumulate = 3;
  accumulated.fit.epochs = 2;  // of four steps
  accumulated.fit.save_iterations = 1;
  SmallRun run(accumulated);
  std::vector<std::int64_t> saved;
  run.fit({.saved = [&](const fs::path&) { saved.push_back(run.training->progress.iteration); }});
  EXPECT_EQ(saved, (std::vector<std::int64_t>{3, 6, 9}));
}

TEST_F(Fit, StopsAfterTheStepAndIsSaved) {
  SmallRunOptions stopped = options(0, "run");
  stopped.trainer.accumulate = 2;
  SmallRun run(stopped);
  std::int64_t steps = 0;
  const FitResult result = run.fit({.step = [&](const TrainStep&, std::int64_t) {
    if (++steps == 5) run.stop = true;
  }});
  EXPECT_TRUE(result.interrupted);
  EXPECT_EQ(result.progress.iteration, 6) << "the update is completed";
  EXPECT_EQ(*read_checkpoint(folder_ / "run" / "last.pth").integer("iteration"), 6);
}

TEST_F(Fit, StopsWithinAnEvaluation) {
  SmallRunOptions scored = options(0, "run");
  scored.fit.evaluates = [](std::int64_t) { return true; };
  scored.fit.save_epochs = 100;
  SmallRun run(scored);
  const FitResult result = run.fit({.evaluated = [&](const EvaluatedImage&) { run.stop = true; }});
  EXPECT_TRUE(result.interrupted);
  EXPECT_FALSE(result.last_score.has_value());
  EXPECT_EQ(*read_checkpoint(folder_ / "run" / "last.pth").integer("iteration"), 4);

  scored.fit.max_iterations = 4;
  scored.fit.score_first = true;
  SmallRun again(scored);
  again.resume(folder_ / "run" / "last.pth");
  EXPECT_TRUE(again.fit().last_score.has_value());
}

TEST_F(Fit, AStateOfTheOfficialCodeGoesOnAfterItsEpoch) {
  SmallRun trained(options(4, "run"));
  trained.fit();
  // As its engine writes it: `iteration` counts within the epoch.
  write_torch_checkpoint(folder_ / "official.pth",
                         TorchDict{{"model", torch_state_dict(trained.network)},
                                   {"optimizer", detail::optimizer_state(trained.trainer->optimizer(), 1e-3)},
                                   {"epoch", 1},
                                   {"iteration", 3}});
  SmallRun run(options(6, "next"));
  const ResumedTraining resumed = run.resume(folder_ / "official.pth");
  EXPECT_TRUE(resumed.complete);
  EXPECT_EQ(resumed.progress.epoch, 1);
  EXPECT_EQ(resumed.progress.iteration, 4);
  EXPECT_EQ(resumed.progress.seed, 7u);
  run.fit();
  SmallRun(options(6, "whole")).fit();
  EXPECT_TRUE(last("next") == last("whole"));
}

TEST_F(Fit, ARunThatIsOverIsLeftAlone) {
  SmallRun(options(4, "run")).fit();
  SmallRun again(options(4, "run"));
  again.resume(folder_ / "run" / "last.pth");
  EXPECT_EQ(again.fit().progress.iteration, 4);
}

TEST_F(Fit, TheLastUpdateIsCompletedAndSaved) {
  SmallRunOptions accumulated = options(0, "run");
  accumulated.trainer.accumulate = 3;
  accumulated.fit.epochs = 1;  // of four steps
  const FitResult result = SmallRun(accumulated).fit();
  EXPECT_EQ(result.progress.iteration, 6);
  EXPECT_EQ(*read_checkpoint(folder_ / "run" / "last.pth").integer("iteration"), 6);
}

TEST_F(Fit, OtherEpochsBeginTheLastOneAnew) {
  SmallRun(options(6, "run")).fit();  // in the second epoch of four steps
  SmallRunOptions larger = options(0, "run");
  larger.batch_size = 3;  // three steps
  SmallRun run(larger);
  const ResumedTraining resumed = run.resume(folder_ / "run" / "last.pth");
  EXPECT_TRUE(resumed.complete);
  EXPECT_FALSE(resumed.same_epochs);
  EXPECT_EQ(resumed.progress.epoch, 1);
  EXPECT_EQ(resumed.progress.iteration, 3);
}

TEST_F(Fit, WeightsAloneStartAtTheFirstEpoch) {
  SmallRun trained(options(5, "run"));
  trained.fit();
  save_torch(trained.network, folder_ / "weights.pth");
  SmallRun run(options(5, "run"));
  const ResumedTraining resumed = run.resume(folder_ / "weights.pth");
  EXPECT_FALSE(resumed.complete);
  EXPECT_EQ(resumed.progress.epoch, 0);
  EXPECT_EQ(resumed.progress.iteration, 0);
  EXPECT_TRUE(resumed.weights.complete());
}

TEST_F(Fit, AStateOfAnotherOptimizerIsRefusedAndChangesNothing) {
  SmallRun(options(2, "run")).fit();
  SmallRunOptions averaged = options(2, "run");
  averaged.ema_decay = 0.9;
  SmallRun run(averaged);
  EXPECT_TRUE(run.resume(folder_ / "run" / "last.pth").complete) << "averages may begin later";
  SmallRunOptions sgd = options(2, "run");
  sgd.rule = Sgd{};
  sgd.seed = 9;
  SmallRun other(sgd);
  const auto first_weight = [&] {
    const auto& weight = *parameters(other.network).front().parameter;
    std::vector<float> values(static_cast<std::size_t>(weight.shape().numel()));
    Cpu<>::weight_to_host(weight.value().value(), weight.layout(), values);
    return values;
  };
  const std::vector<float> before = first_weight();
  expect_mentions(error_of<CheckpointError>([&] { other.resume(folder_ / "run" / "last.pth"); }),
                  {"last.pth", "momentum_buffer", "another network, optimizer"});
  EXPECT_EQ(first_weight(), before);
}

TEST_F(Fit, ALabelThatIsNoClassEndsTheRun) {
  SmallRun run(options(0, "run"));
  run.data.bad_label = 77;
  expect_mentions(error_of<ArgumentError>([&] { run.fit(); }), {"77", "5 classes"});
}

}  // namespace
}  // namespace dformer
