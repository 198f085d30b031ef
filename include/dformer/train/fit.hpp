#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <utility>

#include <dformer/core/depth_input.hpp>
#include <dformer/data/train_batches.hpp>
#include <dformer/eval/evaluate.hpp>
#include <dformer/nn/initialize.hpp>
#include <dformer/train/best_checkpoints.hpp>
#include <dformer/train/trainer.hpp>
#include <dformer/train/training_state.hpp>

namespace dformer {

/// How long a run is, when it is scored, and what is kept of it.
struct FitOptions {
  std::int64_t epochs = 500;
  std::int64_t max_iterations = 0;  ///< stops there, wherever in an epoch that is; 0: no such limit
  /// Whether the network is scored after this epoch, counted from 1.
  std::function<bool(std::int64_t epoch)> evaluates = [](std::int64_t) { return true; };
  /// Whether it is scored before the first step: where an evaluation was stopped before.
  bool score_first = false;
  Protocol protocol{};
  EvaluationOptions evaluation{};
  std::filesystem::path folder;  ///< of the checkpoints; empty: nothing is written
  std::size_t keep_best = 5;
  std::int64_t save_epochs = 1;      ///< `last.pth` is written after every so many epochs …
  std::int64_t save_iterations = 0;  ///< … and batches; 0: only at the end of epochs
};

/// The official choice: after the first epoch, after every tenth, and after each from `checkpoint_start` on
/// (250 of 500 epochs for NYUDepthv2, 200 of 300 for SUNRGBD).
inline bool official_evaluation_epoch(std::int64_t epoch, std::int64_t checkpoint_start) {
  return epoch == 1 || epoch % 10 == 0 || epoch > checkpoint_start;
}

/// What is told of a run while it goes on. Every function may be left empty.
struct FitObserver {
  std::function<void(const TrainStep& step, std::int64_t epoch)> step{};
  std::function<void(std::int64_t epoch, double mean_loss)> epoch{};
  std::function<void(const EvaluatedImage& image)> evaluated{};
  std::function<void(const Score& score, std::int64_t epoch)> score{};
  std::function<void(const std::filesystem::path& file)> saved{};
};

/// How a run ended.
struct FitResult {
  TrainingProgress progress;
  bool interrupted = false;
  std::optional<Score> last_score;
};

/// A network in training, with all that belongs to it: what `fit` moves and what a training state holds.
template <class Network, class Inference, class Loss>
struct TrainingRun {
  using B = typename Network::Backend;

  Network& network;
  Inference& inference;  ///< of the same type, over the backend itself; shares the parameters
  Trainer<Network, Loss>& trainer;
  WeightAverage<B>* average = nullptr;  ///< scored instead of the network where there is one
  TrainingProgress progress{};

  void save(const std::filesystem::path& file) const {
    TrainingProgress now = progress;
    now.loss_scale = trainer.loss_scale();
    save_training_state(file, network, trainer.optimizer(), average, now, trainer.lr());
  }
  /// Throws: CheckpointError.
  ResumedTraining resume(const std::filesystem::path& file, std::int64_t steps_per_epoch) {
    ResumedTraining resumed = resume_training(file, network, trainer.optimizer(), average, progress,
                                              steps_per_epoch, device_of(network));
    progress = resumed.progress;
    trainer.set_progress(progress.iteration, progress.seed);
    if (progress.loss_scale) trainer.set_loss_scale(*progress.loss_scale);
    return resumed;
  }
  /// The network as it is to be scored, and as it is when its checkpoint is loaded: with the starting bases
  /// of every network, not with those of the last step.
  Inference& shared() {
    share_parameters(network, inference);
    if (average != nullptr) average->share_into(inference);
    restore_constants(inference, device_of(network));
    return inference;
  }
};

namespace detail {

template <class F, class... Args>
void tell(const F& function, const Args&... args) {
  if (function) function(args...);
}

/// Ends an evaluation in its middle.
struct EvaluationStopped {};

}  // namespace detail

/// Trains from where a run is until its end, or until `stop` is set. That is seen after each batch, and after
/// each image of an evaluation; the run is saved then, and goes on from there when it is resumed.
/// `validation` may be null. A data set has `size()`, `read(index)` and what `evaluate` asks. Throws: what
/// training, reading, scoring and saving throw.
template <class Run, class Dataset, class Validation>
FitResult fit(Run& run, const Dataset& dataset, const TrainBatchOptions& batches,
              const Validation* validation, const FitOptions& options, const std::atomic<bool>& stop,
              const FitObserver& observer = {}) {
  namespace fs = std::filesystem;
  FitResult result;
  BestCheckpoints best(options.folder, options.folder.empty() ? 0 : options.keep_best);
  const auto per_epoch = static_cast<std::int64_t>(steps_per_epoch(dataset.size(), batches.batch_size));
  std::int64_t& iteration = run.progress.iteration;
  std::int64_t saved_iteration = iteration;
  const auto save = [&](const fs::path& file) {
    run.save(file);
    detail::tell(observer.saved, file);
  };
  const auto save_last = [&] {
    if (!options.folder.empty()) save(options.folder / "last.pth");
    saved_iteration = iteration;
  };
  const auto at_limit = [&] { return options.max_iterations > 0 && iteration >= options.max_iterations; };
  // A last update that waits for its batches is not left out.
  const auto at_end = [&] {
    return run.trainer.between_updates() && (at_limit() || iteration >= options.epochs * per_epoch);
  };
  const auto score = [&](std::int64_t epoch) {
    result.last_score = evaluate(run.shared(), *validation, options.protocol, options.evaluation,
                                 [&](const EvaluatedImage& image) {
                                   detail::tell(observer.evaluated, image);
                                   if (stop.load()) throw detail::EvaluationStopped{};
                                 });
    detail::tell(observer.score, *result.last_score, epoch);
    best.offer(epoch, 100.0 * result.last_score->metrics().miou, save);
  };

  TrainBatchOptions as_read = batches;
  as_read.depth_input = depth_input_of(run.network);  // the network decides
  TrainBatches<Dataset> source(dataset, as_read, static_cast<std::size_t>(iteration));
  double losses = 0;
  std::int64_t count = 0;
  bool due = false;            // last.pth is to be written between updates
  std::int64_t completed = 0;  // the epoch that has ended and is to be scored between updates; 0: none
  bool unscored = false;
  try {
    if (options.score_first && validation != nullptr) score(run.progress.epoch);
    // Gradients are not saved, so a run that is stopped completes its update.
    while (!at_end() && !(stop.load() && run.trainer.between_updates())) {
      const TrainStep step = run.trainer.step(source.next());
      if (step.updated && run.average != nullptr) run.average->update();
      iteration = run.trainer.iteration();
      run.progress.epoch = iteration / per_epoch;
      losses += step.loss;
      ++count;
      detail::tell(observer.step, step, step.iteration / per_epoch + 1);
      if (iteration % per_epoch == 0) {
        completed = run.progress.epoch;
        detail::tell(observer.epoch, completed, losses / static_cast<double>(count));
        losses = 0;
        count = 0;
        due = due || completed % options.save_epochs == 0;
      }
      due = due || (options.save_iterations > 0 && iteration % options.save_iterations == 0);
      if (!run.trainer.between_updates()) continue;
      const bool limited = at_limit();
      if (due || limited) save_last();  // before the evaluation, which may take long
      due = false;
      const std::int64_t scored = limited ? step.iteration / per_epoch + 1 : completed;
      completed = 0;
      if (validation != nullptr && scored > 0 && (limited || options.evaluates(scored))) score(scored);
    }
  } catch (const detail::EvaluationStopped&) {
    unscored = true;
  }
  if (iteration != saved_iteration) save_last();
  result.interrupted = stop.load() && (unscored || !at_end());
  result.progress = run.progress;
  return result;
}

}  // namespace dformer
