#pragma once

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdarg>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/machine.hpp"
#include "common/progress_bar.hpp"
#include "common/run_folder.hpp"
#include "common/score_json.hpp"
#include <dformer/data/classes.hpp>
#include <dformer/data/write_image.hpp>
#include <dformer/eval/timing.hpp>
#include <dformer/train/fit.hpp>
#include <dformer/train/metrics_log.hpp>
#include <dformer/train/recipe.hpp>
#include <dformer/train/tensorboard.hpp>
#include <dformer/viz/curves.hpp>

namespace dformer::programs {

/// What is told of a training run while it goes on: the lines of the official code, a bar, files of numbers.
class TrainReport {
 public:
  TrainReport(RunFolder& folder, const Recipe& recipe, std::int64_t steps_per_epoch, std::int64_t begun_at,
              std::int64_t max_iterations, ClassList classes)
      : folder_(folder),
        recipe_(recipe),
        per_epoch_(steps_per_epoch),
        begun_at_(begun_at),
        classes_(std::move(classes)),
        metrics_(metrics_file(), begun_at),
        board_(folder.path() / "tensorboard", begun_at),
        last_iteration_(begun_at - 1),
        bar_(static_cast<std::size_t>(std::max<std::int64_t>(0, last_step(max_iterations) - begun_at))) {
    for (const double miou : metric_curve(read_metrics(metrics_file()), "test/miou").second) {
      best_ = std::max(best_, 100.0 * miou);
    }
  }

  /// It must outlive the run, and so must `stop`.
  FitObserver observer(const std::atomic<bool>& stop) {
    return {.step = [this, &stop](const TrainStep& step, std::int64_t epoch) { on_step(step, epoch, stop); },
            .epoch = {},
            .evaluated = [this](const EvaluatedImage& image) { on_image(image); },
            .score = [this](const Score& score, std::int64_t epoch) { on_score(score, epoch); },
            .saved = [this](const std::filesystem::path& file) { last_saved_ = file; }};
  }

  /// Whether the network was scored as it is before the first step of this run.
  bool has_score() const {
    const std::vector<double> steps = metric_curve(read_metrics(metrics_file()), "test/miou").first;
    return !steps.empty() && static_cast<std::int64_t>(steps.back()) == begun_at_ - 1;
  }

  void end(const FitResult& result) {
    bar_.clear();
    const double seconds = training_ms_ / 1000;
    const auto steps = result.progress.iteration - begun_at_;
    folder_.say(
        text("%s after %lld epochs, %lld steps. %lld steps here in %.0f s, %.2f images/s; at most %zu MB of "
             "memory",
             result.interrupted ? "Stopped" : "Ended", as_long(result.progress.epoch),
             as_long(result.progress.iteration), as_long(steps), seconds,
             seconds > 0 ? static_cast<double>(steps * recipe_.batch_size) / seconds : 0.0,
             peak_process_bytes() / 1'000'000));
    if (result.interrupted) folder_.say("Saved in " + last_saved_.string() + "; go on with --resume auto");
  }

 private:
  std::filesystem::path metrics_file() const { return folder_.path() / "metrics.jsonl"; }

  static long long as_long(std::int64_t value) { return static_cast<long long>(value); }

  [[gnu::format(printf, 1, 2)]] static std::string text(const char* format, ...) {
    char buffer[256];
    std::va_list arguments;
    va_start(arguments, format);
    std::vsnprintf(buffer, sizeof buffer, format, arguments);
    va_end(arguments);
    return buffer;
  }

  std::int64_t last_step(std::int64_t max_iterations) const {
    const std::int64_t all = recipe_.epochs * per_epoch_;
    return max_iterations > 0 ? std::min(all, max_iterations) : all;
  }

  void on_step(const TrainStep& step, std::int64_t epoch, const std::atomic<bool>& stop) {
    const double ms = watch_.lap();
    training_ms_ += ms;
    window_ms_ += ms;
    ++window_steps_;
    const std::int64_t number = step.iteration % per_epoch_ + 1;  // in its epoch, from 1
    if (number == 1) loss_sum_ = 0, loss_count_ = 0;
    loss_sum_ += step.loss;
    ++loss_count_;
    const double mean = loss_sum_ / static_cast<double>(loss_count_);
    const double rate = static_cast<double>(window_steps_ * recipe_.batch_size) * 1000.0 / window_ms_;
    if (step.skipped) {
      folder_.note(
          text("Step %lld is left out: its gradients are not finite in half, and the loss's scale is halved",
               as_long(step.iteration + 1)));
    }
    // As often as the official code: the first step of an epoch, and each tenth of it.
    const std::int64_t interval = std::max<std::int64_t>(1, per_epoch_ / 10);
    if (number == 1 || number % interval == 0) {
      folder_.say(text("Epoch %lld/%d Iter %lld/%lld: lr=%.4e loss=%.4f total_loss=%.4f", as_long(epoch),
                       recipe_.epochs, as_long(number), as_long(per_epoch_), step.lr, step.loss, mean),
                  &bar_);
      measured(step.iteration, {{"train/loss", step.loss},
                                {"train/mean_loss", mean},
                                {"train/lr", step.lr},
                                {"train/images_per_second", rate},
                                {"train/epoch", static_cast<double>(epoch)}});
      window_ms_ = 0;
      window_steps_ = 0;
    }
    last_iteration_ = step.iteration;
    bar_.update(static_cast<std::size_t>(step.iteration + 1 - begun_at_), training_ms_,
                text("%.1f images/s, loss %.4f", rate, step.loss));
    if (stop.load() && !told_of_stop_) {
      told_of_stop_ = true;
      folder_.say("Stopping: the state is being saved. A second signal ends the program at once", &bar_);
    }
  }

  /// Rows of metrics.jsonl, and what TensorBoard shows.
  void measured(std::int64_t iteration, std::vector<std::pair<std::string, double>> values) {
    for (const auto& [name, value] : values) board_.scalar(name, value, iteration);
    metrics_.add({iteration, std::move(values)});
  }

  void on_image(const EvaluatedImage& image) {
    if (image.index == 0) {
      bar_.clear();
      evaluation_bar_ = std::make_unique<ProgressBar>(image.count);
      evaluation_ms_ = 0;
    }
    evaluation_bar_->update(image.index + 1, evaluation_ms_ += watch_.lap(), image.sample.name);
  }

  void on_score(const Score& score, std::int64_t epoch) {
    evaluation_bar_.reset();
    const double miou = 100.0 * score.metrics().miou;
    best_ = std::max(best_, miou);
    folder_.say(text("Epoch %lld validation result: mIoU %.2f, best mIoU %.2f (%zu images, %.0f s)",
                     as_long(epoch), miou, best_, score.images, evaluation_ms_ / 1000));
    folder_.note(table(score, classes_));
    const Metrics metrics = score.metrics();
    measured(last_iteration_, {{"test/miou", metrics.miou},
                               {"test/macc", metrics.macc},
                               {"test/mf1", metrics.mf1},
                               {"test/aacc", metrics.aacc},
                               {"test/fwiou", metrics.fwiou},
                               {"test/epoch", static_cast<double>(epoch)}});
    write_json(folder_.path() / "score.json", to_json(score, classes_));
    draw();
    watch_.lap();
  }

  void draw() const {
    const std::vector<MetricsRow> rows = read_metrics(metrics_file());
    const auto curve = [&](const char* name) {
      auto [x, y] = metric_curve(rows, name);
      return Curve{name, std::move(x), std::move(y)};
    };
    const Chart charts[] = {
        {.title = "loss", .curves = {curve("train/loss"), curve("train/mean_loss")}},
        {.title = "score", .curves = {curve("test/miou"), curve("test/macc"), curve("test/aacc")}},
        {.title = "learning rate", .curves = {curve("train/lr")}}};
    write_picture(folder_.path() / "curves.png", curves_picture(charts));
  }

  RunFolder& folder_;
  const Recipe& recipe_;
  std::int64_t per_epoch_;
  std::int64_t begun_at_;
  ClassList classes_;
  MetricsLog metrics_;
  TensorBoardWriter board_;
  std::int64_t last_iteration_;
  ProgressBar bar_;
  std::unique_ptr<ProgressBar> evaluation_bar_;
  std::filesystem::path last_saved_;
  Stopwatch watch_;
  double training_ms_ = 0;
  double evaluation_ms_ = 0;
  double window_ms_ = 0;
  std::int64_t window_steps_ = 0;
  double loss_sum_ = 0;
  std::int64_t loss_count_ = 0;
  double best_ = 0;
  bool told_of_stop_ = false;
};

}  // namespace dformer::programs
