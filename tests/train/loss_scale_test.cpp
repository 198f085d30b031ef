#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "images/image_test.hpp"
#include "train/small_run.hpp"

namespace dformer {
namespace {

namespace fs = std::filesystem;
using testing::SmallRun;
using testing::SmallRunOptions;

TEST(LossScale, GrowsAfterGoodUpdatesAndFallsAtOnce) {
  LossScale scale({.initial = 8, .growth = 4, .growth_interval = 3, .backoff = 0.25});
  std::vector<double> scales;
  for (const bool finite : {true, true, true, false, true, true, false, true, true, true}) {
    scale.update(finite);
    scales.push_back(scale.scale());
  }
  EXPECT_EQ(scales, (std::vector<double>{8, 8, 32, 8, 8, 8, 2, 2, 2, 8}));
  EXPECT_EQ(scale.state().good_updates, 0);
}

TEST(LossScale, IsOneOfFloats) {
  LossScale scale({.initial = 0x1p99, .growth_interval = 1});
  for (int i = 0; i < 5; ++i) scale.update(true);
  EXPECT_EQ(scale.scale(), 0x1p100);
}

TEST(LossScale, RejectsNumbersThatAreNoScales) {
  EXPECT_THROW(LossScale({.initial = 0}), ArgumentError);
  EXPECT_THROW(LossScale({.initial = 0x1p101}), ArgumentError);
  EXPECT_THROW(LossScale({.growth = 0.5}), ArgumentError);
  EXPECT_THROW(LossScale({.growth_interval = 0}), ArgumentError);
  EXPECT_THROW(LossScale({.backoff = 1}), ArgumentError);
}

SmallRunOptions scaled(const LossScaling& scaling, std::int64_t iterations, const fs::path& folder = {}) {
  SmallRunOptions options;
  options.trainer.loss_scaling = scaling;
  options.fit.max_iterations = iterations;
  options.fit.folder = folder;
  return options;
}

template <class Run>
std::vector<float> weights(Run& run) {
  std::vector<float> all;
  for (const auto& [name, parameter] : parameters(run.network)) {
    if (parameter->kind() != ParameterKind::trained) continue;
    std::vector<float> values(static_cast<std::size_t>(parameter->shape().numel()));
    Cpu<>::weight_to_host(parameter->value().value(), parameter->layout(), values);
    all.insert(all.end(), values.begin(), values.end());
  }
  return all;
}

/// Powers of two change no digits of a float.
TEST(LossScaling, IsTakenOutAgain) {
  SmallRunOptions plain_options;
  plain_options.fit.max_iterations = 4;
  plain_options.fit.folder.clear();
  plain_options.trainer.clip_norm = 0.5;
  SmallRunOptions scaled_options = scaled({.initial = 1024, .growth_interval = 2}, 4);
  scaled_options.trainer.clip_norm = 0.5;
  SmallRun plain(plain_options), with_scale(scaled_options);
  std::vector<double> norms, scaled_norms;
  plain.fit({.step = [&](const TrainStep& step, std::int64_t) { norms.push_back(step.gradient_norm); }});
  with_scale.fit(
      {.step = [&](const TrainStep& step, std::int64_t) { scaled_norms.push_back(step.gradient_norm); }});
  EXPECT_EQ(norms, scaled_norms);
  EXPECT_EQ(weights(plain), weights(with_scale));
  EXPECT_EQ(with_scale.trainer->loss_scale()->scale, 4096);
  EXPECT_FALSE(plain.trainer->loss_scale());
}

/// Cross-entropy whose gradients are beyond the largest number from some scale on, as in half.
struct Overflowing {
  using Backend = Cpu<>;
  using Tensor = Backend::Tensor;
  double limit = 0;

  LossValue<Tensor> operator()(const Tensor& logits, const LabelMap& labels, double scale = 1.0) const {
    auto result = CrossEntropy<Backend>{}(logits, labels, scale);
    if (scale > limit) result.gradient = Gradients<Backend>::scaled(result.gradient, INFINITY);
    return result;
  }
};

struct OverflowingRun {
  using B = Autodiff<Cpu<>>;
  testing::SmallNetwork<B> network;
  std::optional<Trainer<testing::SmallNetwork<B>, Overflowing>> trainer;

  OverflowingRun(double limit, const LossScaling& scaling) {
    initialize(network, 3);
    trainer.emplace(
        network, Overflowing{limit},
        Optimizer<B>(AdamW{}, group_parameters(parameters(network), ParameterPolicy::full)),
        [](std::int64_t) { return 1e-3; }, TrainerOptions{.loss_scaling = scaling});
  }
  TrainStep step() {
    constexpr std::size_t pixels = 32 * 32;
    return trainer->step({1, 32, 32, std::vector<float>(3 * pixels, 0.5f), std::vector<float>(pixels, -0.5f),
                          std::vector<std::uint8_t>(pixels, 2)});
  }
};

TEST(LossScaling, SkipsWhatIsNotFinite) {
  OverflowingRun run(0x1p3, {.initial = 0x1p10, .backoff = 0x1p-4});
  const std::vector<float> before = weights(run);
  const std::int64_t& updates = run.trainer->optimizer().slots().front().step;
  for (const double next_scale : {0x1p6, 0x1p2}) {
    const TrainStep step = run.step();
    EXPECT_TRUE(step.skipped);
    EXPECT_FALSE(step.updated);
    EXPECT_EQ(run.trainer->loss_scale()->scale, next_scale);
    EXPECT_EQ(weights(run), before);
    EXPECT_EQ(updates, 0);
  }
  const TrainStep step = run.step();
  EXPECT_FALSE(step.skipped);
  EXPECT_TRUE(step.updated);
  EXPECT_EQ(step.iteration, 2);
  EXPECT_NE(weights(run), before);
  EXPECT_EQ(updates, 1);
}

TEST(LossScaling, GivesUpWhereNoScaleHelps) {
  OverflowingRun run(0, {.initial = 1, .backoff = 0x1p-10});
  EXPECT_TRUE(run.step().skipped);
  EXPECT_THROW(run.step(), DivergedError);
}

std::string content(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

TEST(LossScaling, GoesOnToTheLastBit) {
  const testing::TemporaryFolder files;
  for (const char* name : {"part", "next", "whole"}) fs::create_directory(files / name);
  const LossScaling scaling{.initial = 16, .growth_interval = 3};
  SmallRun(scaled(scaling, 5, files / "part")).fit();
  SmallRun whole(scaled(scaling, 8, files / "whole"));
  whole.fit();
  SmallRun next(scaled(scaling, 8, files / "next"));
  const ResumedTraining resumed = next.resume(files / "part" / "last.pth");
  ASSERT_TRUE(resumed.progress.loss_scale);
  EXPECT_EQ(resumed.progress.loss_scale->scale, 32);
  EXPECT_EQ(resumed.progress.loss_scale->good_updates, 2);
  next.fit();
  EXPECT_EQ(next.trainer->loss_scale()->scale, 64);
  EXPECT_TRUE(content(files / "next" / "last.pth") == content(files / "whole" / "last.pth"));
}

}  // namespace
}  // namespace dformer
