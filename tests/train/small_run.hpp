#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <opencv2/core.hpp>

#include "support/small_network.hpp"
#include <dformer/backend/cpu/cpu.hpp>
#include <dformer/train.hpp>

/// Images that are made and not read, and a run of the small network on them.
namespace dformer::testing {

struct MadeImages {
  std::size_t count = 6;
  int bad_label = -1;  ///< of the last image

  std::size_t size() const { return count; }
  int num_classes() const { return small_classes; }
  std::string description() const { return "made images"; }
  LabeledImage read(std::size_t index) const {
    LabeledImage sample{std::to_string(index),
                        {cv::Mat(40, 48, CV_8UC3), cv::Mat(40, 48, CV_8UC1), {}},
                        cv::Mat(40, 48, CV_8UC1)};
    cv::RNG random(index + 1);
    random.fill(sample.image.color, cv::RNG::UNIFORM, 0, 256);
    random.fill(sample.image.depth, cv::RNG::UNIFORM, 0, 256);
    random.fill(sample.labels, cv::RNG::UNIFORM, 0, small_classes);
    if (bad_label >= 0 && index + 1 == count) sample.labels.setTo(bad_label);
    return sample;
  }
};

struct SmallRunOptions {
  OptimizerRule rule = AdamW{};
  double ema_decay = 0.0;
  int batch_size = 2;
  std::uint64_t seed = 7;
  TrainerOptions trainer{};
  FitOptions fit{.epochs = 4, .evaluates = [](std::int64_t) { return false; }, .folder = {}};
};

/// Everything that a program of training has, from random weights on.
class SmallRun {
 public:
  using B = Autodiff<Cpu<>>;
  using Network = SmallNetwork<B>;
  using Training = TrainingRun<Network, SmallNetwork<Cpu<>>, CrossEntropy<Cpu<>>>;

  explicit SmallRun(const SmallRunOptions& options) : options_(options) {
    initialize(network, options.seed);
    network.backbone.set_drop_path(0.3f);
    options_.trainer.seed = options.seed;
    trainer.emplace(
        network, CrossEntropy<Cpu<>>{},
        Optimizer<B>(options.rule, group_parameters(parameters(network), ParameterPolicy::full)),
        [](std::int64_t update) { return 1e-3 / static_cast<double>(1 + update); }, options_.trainer);
    if (options.ema_decay > 0) average.emplace(network, options.ema_decay);
    training.emplace(network, inference, *trainer, average ? &*average : nullptr,
                     TrainingProgress{.seed = options.seed});
  }

  ResumedTraining resume(const std::filesystem::path& file) {
    return training->resume(file,
                            static_cast<std::int64_t>(steps_per_epoch(data.size(), options_.batch_size)));
  }
  FitResult fit(const FitObserver& observer = {}) {
    const TrainBatchOptions batches{
        .batch_size = options_.batch_size,
        .seed = training->progress.seed,
        .augmentation = {.crop_height = 32, .crop_width = 32, .scales = {0.75, 1, 1.5}},
        .workers = 0};
    return dformer::fit(*training, data, batches, &validation, options_.fit, stop, observer);
  }

  MadeImages data{};
  MadeImages validation{.count = 2};
  std::atomic<bool> stop{false};
  Network network;
  SmallNetwork<Cpu<>> inference;
  std::optional<Trainer<Network, CrossEntropy<Cpu<>>>> trainer;
  std::optional<WeightAverage<B>> average;
  std::optional<Training> training;

 private:
  SmallRunOptions options_;
};

}  // namespace dformer::testing
