#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <system_error>

#include <dformer/data/classes.hpp>
#include <dformer/data/dataset_layout.hpp>
#include <dformer/train/fit.hpp>
#include <dformer/train/optimizer.hpp>
#include <dformer/train/recipe_checks.hpp>
#include <dformer/train/schedule.hpp>

/// What a recipe says, as the parts of a training run take it.
namespace dformer {

inline DatasetLayout layout_of(const RecipeDataset& dataset) {
  DatasetLayout layout = nyu_depth_v2_layout();
  if (dataset.layout == RecipeLayout::sunrgbd) layout = sunrgbd_layout();
  if (dataset.layout == RecipeLayout::asymformer) layout = asymformer_layout();
  if (dataset.layout == RecipeLayout::custom) layout.name = "custom";
  if (!dataset.depth_encoding.empty()) layout.depth.encoding = parse_depth_encoding(dataset.depth_encoding);
  layout.depth.holes = dataset.holes;
  layout.numbering = dataset.labels;
  return layout;
}

/// The names of the classes; none where the recipe has none. A file is looked for in the data set's folder,
/// then where the program runs. Throws: ArgumentError for a file that cannot be read.
inline ClassList class_names_of(const RecipeDataset& dataset) {
  if (dataset.classes.empty()) return {};
  if (const auto known = known_classes(dataset.classes)) return *known;
  std::error_code ignored;
  const std::filesystem::path beside = std::filesystem::path(dataset.root) / dataset.classes;
  return read_classes(std::filesystem::exists(beside, ignored) ? beside
                                                               : std::filesystem::path(dataset.classes));
}

/// The same. Throws also: ArgumentError for another number of names than of classes.
inline ClassList classes_of(const RecipeDataset& dataset) {
  ClassList classes = class_names_of(dataset);
  if (classes.size() > 0 && classes.size() != static_cast<std::size_t>(dataset.num_classes)) {
    throw_argument_error("[recipe] dataset.classes: " + dataset.classes + " has " +
                         std::to_string(classes.size()) + " names, but dataset.num_classes is " +
                         std::to_string(dataset.num_classes) + "; the two must be the same");
  }
  return classes;
}

inline OptimizerRule rule_of(const RecipeOptimization& optimizer) {
  if (optimizer.type == RecipeOptimizer::sgd)
    return Sgd{.momentum = optimizer.momentum, .weight_decay = optimizer.weight_decay};
  return AdamW{.beta1 = optimizer.beta1,
               .beta2 = optimizer.beta2,
               .eps = optimizer.eps,
               .weight_decay = optimizer.weight_decay};
}

/// The learning rate over updates; `steps_per_epoch` counts batches.
inline WarmUpPolyLR schedule_of(const Recipe& recipe, std::int64_t steps_per_epoch) {
  const auto updates = [&](std::int64_t epochs) {
    return (epochs * steps_per_epoch + recipe.accumulate - 1) / recipe.accumulate;
  };
  return {.base_lr = recipe.optimizer.lr,
          .total_steps = updates(recipe.epochs),
          .warmup_steps = updates(recipe.schedule.warmup_epochs),
          .power = recipe.schedule.power,
          .update = recipe.schedule.update};
}

inline TrainerOptions trainer_options_of(const Recipe& recipe) {
  return {.seed = recipe.seed,
          .accumulate = recipe.accumulate,
          .clip_norm = recipe.optimizer.clip_norm,
          .draw_bases = recipe.network.draw_bases,
          .checkpoint_blocks = recipe.machine.checkpoint_blocks};
}

inline TrainBatchOptions batches_of(const Recipe& recipe, ColorOrder order) {
  return {.batch_size = recipe.batch_size,
          .seed = recipe.seed,
          .color_order = order,
          .augmentation = {.crop_height = recipe.augmentation.crop.height,
                           .crop_width = recipe.augmentation.crop.width,
                           .scales = recipe.augmentation.scales,
                           .mirror = recipe.augmentation.flip},
          .workers = recipe.machine.workers};
}

inline Protocol protocol_of(const RecipeEvaluation& evaluation) {
  Protocol protocol{.scales = evaluation.scales,
                    .size_multiple = evaluation.size_multiple,
                    .flip = evaluation.flip,
                    .padded_size = evaluation.padded_size,
                    .absent = evaluation.absent};
  if (const auto& window = evaluation.window) {
    protocol.sliding = SlidingWindow::with_official_stride(window->height, window->width);
    if (const auto& stride = evaluation.stride) {
      protocol.sliding->stride_height = stride->height;
      protocol.sliding->stride_width = stride->width;
    }
  }
  return protocol;
}

/// Whether the network is scored after an epoch, counted from 1.
inline bool is_evaluated(const Recipe& recipe, std::int64_t epoch) {
  switch (recipe.evaluation.epochs) {
    case EvaluationEpochs::official:
      return official_evaluation_epoch(epoch, recipe.evaluation.checkpoint_start) || epoch == recipe.epochs;
    case EvaluationEpochs::every:
      return epoch % recipe.evaluation.interval == 0 || epoch == recipe.epochs;
    case EvaluationEpochs::last:
      return epoch == recipe.epochs;
    case EvaluationEpochs::never:
      return false;
  }
  return false;
}

/// Checkpoints are written to `folder`.
inline FitOptions fit_options_of(const Recipe& recipe, const std::filesystem::path& folder) {
  return {.epochs = recipe.epochs,
          .evaluates = [recipe](std::int64_t epoch) { return is_evaluated(recipe, epoch); },
          .protocol = protocol_of(recipe.evaluation),
          .evaluation = {.workers = recipe.machine.workers},
          .folder = folder,
          .keep_best = static_cast<std::size_t>(recipe.checkpoints.keep_best),
          .save_epochs = recipe.checkpoints.every_epochs,
          .save_iterations = recipe.checkpoints.every_iterations};
}

}  // namespace dformer
