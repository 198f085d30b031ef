#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <utility>

#include <dformer/eval/evaluate.hpp>
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
  std::function<void(const TrainStep& step, std::int64_t epoch)> step;
  std::function<void(std::int64_t epoch, double mean_loss)> epoch;
  std::function<void(const EvaluatedImage& image)> evaluated;
  std::function<void(const Score& score, std::int64_t epoch)> score;
  std::function<void(const std::filesystem::path& file)> saved;
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
    save_training_state(file, network, trainer.optimizer(), average, progress, trainer.lr());
  }
  /// Throws: CheckpointError.
  ResumedTraining resume(const std::filesystem::path& file) {
    ResumedTraining resumed =
        resume_training(file, network, trainer.optimizer(), average, progress, device_of(network));
    progress = resumed.progress;
    trainer.set_iteration(progress.iteration);
    return resumed;
  }
  /// The network as it is to be scored.
  Inference& shared() {
    share_parameters(network, inference);
    if (average != nullptr) average->share_into(inference);
    return inference;
  }
};

namespace detail {

template <class F, class... Args>
void tell(const F& function, const Args&... args) {
  if (function) function(args...);
}

}  // namespace detail

/// Trains from where a run is until its end, or until `stop` is set, which it sees after each batch: the run
/// is saved then, and goes on from there when it is resumed. `validation` may be null. A data set has
/// `size()`, `read(index)` and what `evaluate` asks. Throws: what training, reading, scoring and saving
/// throw.
template <class Run, class Dataset, class Validation>
FitResult fit(Run& run, const Dataset& dataset, const TrainBatchOptions& batches,
              const Validation* validation, const FitOptions& options, const std::atomic<bool>& stop,
              const FitObserver& observer = {}) {
  namespace fs = std::filesystem;
  FitResult result;
  BestCheckpoints best(options.folder, options.folder.empty() ? 0 : options.keep_best);
  const auto per_epoch = static_cast<std::int64_t>(steps_per_epoch(dataset.size(), batches.batch_size));
  const auto save = [&](const fs::path& file) {
    run.save(file);
    detail::tell(observer.saved, file);
  };
  const auto save_last = [&] {
    if (!options.folder.empty()) save(options.folder / "last.pth");
  };

  TrainBatches<Dataset> source(dataset, batches, static_cast<std::size_t>(run.progress.iteration));
  double losses = 0;
  std::int64_t count = 0;
  while (run.progress.iteration < options.epochs * per_epoch && !result.interrupted) {
    const TrainStep step = run.trainer.step(source.next());
    run.progress.iteration = run.trainer.iteration();
    losses += step.loss;
    ++count;
    const std::int64_t epoch = (run.progress.iteration - 1) / per_epoch + 1;
    detail::tell(observer.step, step, epoch);

    const bool saveable = run.trainer.between_updates();
    const bool at_limit =
        saveable && options.max_iterations > 0 && run.progress.iteration >= options.max_iterations;
    const bool at_end = run.progress.iteration % per_epoch == 0;
    if (at_end) {
      run.progress.epoch = epoch;
      detail::tell(observer.epoch, epoch, losses / static_cast<double>(count));
      losses = 0;
      count = 0;
    }
    if ((at_end || at_limit) && validation != nullptr && (at_limit || options.evaluates(epoch))) {
      result.last_score =
          evaluate(run.shared(), *validation, options.protocol, options.evaluation,
                   [&](const EvaluatedImage& image) { detail::tell(observer.evaluated, image); });
      detail::tell(observer.score, *result.last_score, epoch);
      const double miou = 100.0 * result.last_score->metrics().miou;
      if (saveable) best.offer(epoch, miou, save);
    }
    if (!saveable) continue;
    result.interrupted = stop.load() || at_limit;
    const bool due = (at_end && epoch % options.save_epochs == 0) ||
                     (options.save_iterations > 0 && run.progress.iteration % options.save_iterations == 0);
    if (due || result.interrupted || run.progress.iteration == options.epochs * per_epoch) save_last();
  }
  result.interrupted = result.interrupted && stop.load();
  result.progress = run.progress;
  return result;
}

}  // namespace dformer
