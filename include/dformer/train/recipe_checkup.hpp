#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <variant>

#include <dformer/core/finding.hpp>
#include <dformer/core/number_text.hpp>
#include <dformer/data/dataset_checkup.hpp>
#include <dformer/data/describe_image.hpp>
#include <dformer/io/checkpoint_checkup.hpp>
#include <dformer/train/recipe_findings.hpp>
#include <dformer/train/recipe_parts.hpp>

namespace dformer {

/// What a recipe is to be run with, as far as that was checked.
struct RecipeSurroundings {
  const DatasetCheckup* data = nullptr;
  const CheckpointCheckup* checkpoint = nullptr;  ///< of `--pretrained` or `--load-from`
};

namespace detail {

/// `layout_of`, with the layout's own depth encoding where there is none of the recipe's name.
inline DatasetLayout readable_layout_of(RecipeDataset dataset) {
  try {
    return layout_of(dataset);
  } catch (const ArgumentError&) {
    dataset.depth_encoding.clear();
    return layout_of(dataset);
  }
}

/// Holes cannot be seen in a picture of depth.
inline bool is_depth_picture(const DepthEncoding& encoding) {
  return std::holds_alternative<GreysDepth>(encoding) || std::holds_alternative<HighByteDepth>(encoding);
}

class RecipeCheck {
 public:
  RecipeCheck(const Recipe& recipe, std::string file, Checkup& checkup)
      : recipe_(recipe), file_(std::move(file)), checkup_(checkup) {}

  void check_settings() {
    for (const std::string& fault : recipe_faults(recipe_)) add(recipe_findings::invalid_setting, fault);
    const RecipeDataset& dataset = recipe_.dataset;
    if (dataset.root.empty()) add(recipe_findings::no_data, "dataset.root is empty");
    const DepthEncoding encoding = readable_layout_of(dataset).depth.encoding;
    if (is_depth_picture(encoding) && dataset.holes != HolePolicy::keep) {
      add(recipe_findings::holes_without_unit, "dataset.holes is " + std::string(recipe_word(dataset.holes)) +
                                                   ", depth is " + std::string(to_string(encoding)));
    }
    if (recipe_.batch_size == 1) add(recipe_findings::single_image_batch, "batch_size is 1");
    if (recipe_.evaluation.epochs == EvaluationEpochs::never)
      add(recipe_findings::never_scored, "evaluation.epochs is never");
    check_learning_rate();
    check_official_configuration();
  }

  void check_with(const DatasetCheckup& data) {
    if (data.lists.empty() || data.lists.front().items == 0) return;
    const auto images = data.lists.front().items;
    if (static_cast<std::size_t>(recipe_.batch_size) > images) {
      add(recipe_findings::batch_exceeds_data, "batch_size is " + std::to_string(recipe_.batch_size) + ", " +
                                                   data.lists.front().name + " has " +
                                                   std::to_string(images) + " images");
    }
    const double scale =
        recipe_.augmentation.scales.empty() ? 1.0 : *std::ranges::max_element(recipe_.augmentation.scales);
    const ImageSize& crop = recipe_.augmentation.crop;
    if (data.largest.height > 0 &&
        (crop.height > scale * data.largest.height || crop.width > scale * data.largest.width)) {
      add(recipe_findings::crop_exceeds_images,
          "augmentation.crop is " + to_string(crop) + ", images are up to " + describe(data.largest) +
              " (height x width), scaled by up to " + number_text(scale));
    }
    if (recipe_.batch_size < 1 || recipe_.accumulate < 1) return;
    const auto steps = static_cast<std::int64_t>(steps_per_epoch(images, recipe_.batch_size));
    const WarmUpPolyLR schedule = schedule_of(recipe_, steps);
    checkup_.fact("schedule", std::to_string(steps) + " steps an epoch, " +
                                  std::to_string(schedule.total_steps) + " updates, " +
                                  std::to_string(schedule.warmup_steps) + " of them warm-up");
    const double memory = 1.0 / (1.0 - recipe_.ema_decay);
    if (recipe_.ema_decay > 0 && 2.0 * memory > static_cast<double>(schedule.total_steps)) {
      add(recipe_findings::slow_average, "ema_decay " + number_text(recipe_.ema_decay) + " averages over " +
                                             number_text(memory) + " updates, the run has " +
                                             std::to_string(schedule.total_steps));
    }
  }

  void check_with(const CheckpointCheckup& checkpoint) {
    if (checkpoint.network && *checkpoint.network != recipe_.model) {
      add(recipe_findings::other_network,
          "model is " + recipe_.model + ", the checkpoint is of " + *checkpoint.network);
    }
    if (checkpoint.num_classes && *checkpoint.num_classes != recipe_.dataset.num_classes) {
      add(recipe_findings::other_classes,
          "dataset.num_classes is " + std::to_string(recipe_.dataset.num_classes) + ", the checkpoint has " +
              std::to_string(*checkpoint.num_classes));
    }
  }

  void check_from_scratch() {
    if (recipe_.optimizer.parameters == ParameterPolicy::official)
      add(recipe_findings::official_from_scratch,
          "optimizer.parameters is official, and no checkpoint was given");
  }

 private:
  void check_learning_rate() {
    const int warmup = recipe_.schedule.warmup_epochs;
    if (warmup >= recipe_.epochs) {
      add(recipe_findings::warmup_too_long, "schedule.warmup_epochs is " + std::to_string(warmup) + " of " +
                                                std::to_string(recipe_.epochs) + " epochs");
    }
    // Between a tenth of what is used for fine-tuning and three times what networks are trained with.
    const bool sgd = recipe_.optimizer.type == RecipeOptimizer::sgd;
    const double lowest = sgd ? 1e-5 : 1e-6;
    const double highest = sgd ? 1.0 : 3e-3;
    const double lr = recipe_.optimizer.lr;
    if (lr > 0 && (lr < lowest || lr > highest)) {
      add(recipe_findings::learning_rate,
          "optimizer.lr is " + number_text(lr) + "; " + std::string(recipe_word(recipe_.optimizer.type)) +
              " works between " + number_text(lowest) + " and " + number_text(highest));
    }
  }

  void check_official_configuration() {
    const bool v2 = recipe_.model.starts_with("DFormerv2");
    const RecipeLayout layout = recipe_.dataset.layout;
    if (layout == RecipeLayout::custom) return;
    const bool sunrgbd = layout == RecipeLayout::sunrgbd;
    if (v2 && sunrgbd != (recipe_.network.like == OfficialDataset::sunrgbd)) {
      add(recipe_findings::other_like, "network.like is " + std::string(recipe_word(recipe_.network.like)) +
                                           ", dataset.layout " + std::string(recipe_word(layout)));
    }
    const bool padded = recipe_.evaluation.padded_size.has_value();
    if (padded != (v2 && sunrgbd)) {
      add(recipe_findings::padding, std::string("evaluation.padded_size is ") + (padded ? "set" : "[]") +
                                        " for " + recipe_.model + " and " + std::string(recipe_word(layout)));
    }
  }

  void add(const FindingKind& kind, std::string what) { checkup_.find(kind, {file_, 0, std::move(what)}); }

  const Recipe& recipe_;
  std::string file_;
  Checkup& checkup_;
};

}  // namespace detail

/// How the data set of a recipe is to be checked; the names of its classes are left to be set.
inline DatasetCheckOptions dataset_check_of(const RecipeDataset& dataset) {
  DatasetLayout layout = detail::readable_layout_of(dataset);
  // That is a fault of the recipe, and not of every image.
  if (detail::is_depth_picture(layout.depth.encoding)) layout.depth.holes = HolePolicy::keep;
  return {.layout = std::move(layout),
          .lists = {dataset.train, dataset.test},
          .num_classes = dataset.num_classes};
}

/// Adds to `checkup` what a recipe's settings say by themselves, and beside the data set and the checkpoint
/// that it is to be run with. `file` is where it was read.
inline void check_recipe(const Recipe& recipe, const std::string& file, const RecipeSurroundings& with,
                         Checkup& checkup) {
  detail::RecipeCheck check(recipe, file, checkup);
  checkup.fact("network", recipe.model + ", " + std::to_string(recipe.dataset.num_classes) + " classes; " +
                              std::to_string(recipe.epochs) + " epochs of batches of " +
                              std::to_string(recipe.batch_size));
  check.check_settings();
  if (with.data != nullptr) check.check_with(*with.data);
  if (with.checkpoint != nullptr) {
    check.check_with(*with.checkpoint);
  } else {
    check.check_from_scratch();
  }
  checkup.sort();
}

}  // namespace dformer
