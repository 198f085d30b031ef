#pragma once

#include <cmath>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include <dformer/core/half.hpp>
#include <dformer/data/train_batch.hpp>
#include <dformer/eval/draw_bases.hpp>
#include <dformer/losses/loss.hpp>
#include <dformer/nn/share.hpp>
#include <dformer/train/ema.hpp>
#include <dformer/train/loss_scale.hpp>
#include <dformer/train/optimizer.hpp>

namespace dformer {

struct TrainerOptions {
  std::uint64_t seed = 12345;  ///< of all that is random in a step; the official one
  int accumulate = 1;          ///< batches whose gradients make one update, as one large batch would
  double clip_norm = 0.0;      ///< largest L2 norm of all gradients together; 0: any
  /// Whether the Hamburger starts from other bases at each step, as in the official code.
  bool draw_bases = true;
  /// Whether only the inputs of blocks are kept for backward, which computes them again: less memory, more
  /// time, the same result.
  bool checkpoint_blocks = false;
  /// How the loss is scaled; by default networks in half are as torch.amp.GradScaler does it, others not.
  std::optional<LossScaling> loss_scaling{};
};

/// What a step did.
struct TrainStep {
  std::int64_t iteration = 0;  ///< counted from 0
  double loss = 0.0;
  double lr = 0.0;             ///< of the update, or of the next one
  bool updated = false;        ///< false while gradients accumulate, and where they are skipped
  bool skipped = false;        ///< gradients of a scaled loss were not finite: the scale is made smaller
  double gradient_norm = 0.0;  ///< before clipping; only where gradients are clipped or the loss is scaled
};

/// A loss that is not finite, or gradients that are at no scale: nothing was updated with them.
class DivergedError : public Error {
 public:
  using Error::Error;
};

/// Trains a network over a backend that records gradients, batch by batch. What a step does is decided by the
/// parameters, the batch, the seed and the number of the iteration.
///
///     Trainer trainer(net, CrossEntropy{}, Optimizer(AdamW{}, groups), schedule);
///     trainer.step(batch);
///
/// The network must outlive it.
template <class Network, class Loss>
class Trainer {
 public:
  using B = typename Network::Backend;
  using Inner = typename B::Inner;
  /// The learning rate of an update, counted from 0.
  using Schedule = std::function<double(std::int64_t update)>;

  /// Throws: ArgumentError; UnsetParameterError.
  Trainer(Network& network, Loss loss, Optimizer<B> optimizer, Schedule schedule,
          const TrainerOptions& options = {})
      : network_(network),
        loss_(std::move(loss)),
        optimizer_(std::move(optimizer)),
        schedule_(std::move(schedule)),
        options_(options),
        device_(device_of(network)) {
    if (options.accumulate < 1) {
      throw_argument_error("[trainer] accumulate must be 1 or more, got " +
                           std::to_string(options.accumulate));
    }
    if (options.loss_scaling) {
      loss_scale_.emplace(*options.loss_scaling);
    } else if (is_half) {
      loss_scale_.emplace(LossScaling{});
    }
  }

  Optimizer<B>& optimizer() { return optimizer_; }
  const Optimizer<B>& optimizer() const { return optimizer_; }
  std::int64_t iteration() const { return iteration_; }
  double lr() const { return schedule_(iteration_ / options_.accumulate); }
  /// Whether no gradients wait for an update: where a run can be saved.
  bool between_updates() const { return iteration_ % options_.accumulate == 0; }
  /// Goes on from there, between two updates.
  void set_progress(std::int64_t iteration, std::uint64_t seed) {
    iteration_ = iteration;
    options_.seed = seed;
    gradients_.clear();
  }
  /// What the loss is multiplied by before its gradients are computed; none where it is not.
  std::optional<LossScaleState> loss_scale() const {
    return loss_scale_ ? std::optional(loss_scale_->state()) : std::nullopt;
  }
  /// Goes on with that scale, where losses are scaled.
  void set_loss_scale(const LossScaleState& state) {
    if (loss_scale_) loss_scale_->set_state(state);
  }

  /// Forward, backward and, with every `accumulate`-th batch, an update of the parameters.
  /// Throws: DivergedError; what the loss throws, of labels out of range.
  TrainStep step(const TrainBatch& batch) {
    TrainStep report{.iteration = iteration_, .lr = lr()};
    report.loss = gradients_of(batch);
    ++iteration_;
    if (!between_updates()) return report;
    const double scale = loss_scale_ ? loss_scale_->scale() : 1.0;
    double factor = 1.0 / scale;
    if (options_.clip_norm > 0.0 || loss_scale_)
      report.gradient_norm = optimizer_.gradient_norm(gradients_) / scale;
    report.skipped = loss_scale_ && !std::isfinite(report.gradient_norm);
    report.updated = !report.skipped;
    if (report.updated) {
      if (options_.clip_norm > 0.0 && report.gradient_norm > options_.clip_norm) {
        factor *= options_.clip_norm / (report.gradient_norm + 1e-6);
      }
      optimizer_.step(gradients_, report.lr, factor);
    }
    gradients_.clear();
    if (loss_scale_) update_loss_scale(report);
    return report;
  }

 private:
  static constexpr bool is_half = [] {
    if constexpr (requires { typename Inner::Tensor::value_type; }) {
      return std::is_same_v<typename Inner::Tensor::value_type, half>;
    } else {
      return false;
    }
  }();

  void update_loss_scale(const TrainStep& step) {
    loss_scale_->update(step.updated);
    if (loss_scale_->scale() >= least_loss_scale) return;
    throw DivergedError("[trainer] the gradients of iteration " + std::to_string(step.iteration) +
                        " are not finite however the loss is scaled; nothing was updated with them. Try a "
                        "smaller learning rate, clip_norm, or bfloat16");
  }

  double gradients_of(const TrainBatch& batch) {
    const auto seed = static_cast<std::uint64_t>(iteration_);
    if (options_.draw_bases) draw_bases(network_, options_.seed + seed);
    const autodiff::ForwardRandom random(options_.seed, seed);
    const autodiff::CheckpointBlocks blocks(options_.checkpoint_blocks);
    const auto rgb = B::from_host(device_, {batch.count, batch.height, batch.width, 3}, batch.color);
    const auto depth = B::from_host(device_, {batch.count, batch.height, batch.width, 1}, batch.depth);
    const auto logits = network_(rgb, depth);
    const double scale = (loss_scale_ ? loss_scale_->scale() : 1.0) / options_.accumulate;
    const auto loss = loss_with_scaled_gradient(
        loss_, logits.value(), LabelMap{batch.labels, batch.count, batch.height, batch.width}, scale);
    if (!std::isfinite(loss.value)) {
      gradients_.clear();
      throw DivergedError("[trainer] the loss of iteration " + std::to_string(iteration_) + " is " +
                          std::to_string(loss.value) +
                          "; nothing was updated with it. Try a smaller learning rate, or clip_norm");
    }
    backward(logits, loss.gradient, gradients_);
    return loss.value;
  }

  static constexpr double least_loss_scale = 0x1p-14;

  Network& network_;
  Loss loss_;
  Optimizer<B> optimizer_;
  Schedule schedule_;
  TrainerOptions options_;
  std::optional<LossScale> loss_scale_;
  typename B::Device device_;
  autodiff::LeafGradients<Inner> gradients_;
  std::int64_t iteration_ = 0;
};

}  // namespace dformer
