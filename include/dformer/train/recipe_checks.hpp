#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <dformer/core/error.hpp>
#include <dformer/core/number_text.hpp>
#include <dformer/data/depth_encoding.hpp>
#include <dformer/io/load_report.hpp>
#include <dformer/models/zoo.hpp>
#include <dformer/train/recipe.hpp>

namespace dformer {

namespace detail {

/// Collects what cannot be: the key, what was expected and what was given.
class RecipeChecks {
 public:
  RecipeChecks(std::string section, std::vector<std::string>& faults)
      : section_(std::move(section)), faults_(faults) {}

  void at_least(const char* key, double given, double least) const {
    require(given >= least, key, number_text(least) + " or more", number_text(given));
  }
  /// From `least` on and below 1: probabilities and decays.
  void share(const char* key, double given) const {
    require(given >= 0.0 && given < 1.0, key, "a number from 0 to below 1", number_text(given));
  }
  void positive(const char* key, double given) const {
    require(given > 0.0, key, "a positive number", number_text(given));
  }
  void extent(const char* key, const ImageSize& given) const {
    require(given.height >= 1 && given.width >= 1, key, "a height and a width of 1 or more",
            std::to_string(given.height) + " and " + std::to_string(given.width));
  }
  void scales(const char* key, const std::vector<double>& given) const {
    std::string text;
    bool good = !given.empty();
    for (double scale : given) {
      good = good && scale > 0.0 && scale <= 16.0;
      (text += text.empty() ? "" : ", ") += number_text(scale);
    }
    require(good, key, "one number or more, above 0 and at most 16", text.empty() ? "none" : text);
  }
  void require(bool good, const char* key, const std::string& expected, const std::string& given) const {
    if (!good) faults_.push_back(section_ + key + ": " + expected + " expected, got " + given);
  }

 private:
  std::string section_;
  std::vector<std::string>& faults_;
};

inline void check_dataset(const Recipe& recipe, std::vector<std::string>& faults) {
  const RecipeDataset& dataset = recipe.dataset;
  const RecipeChecks check("dataset.", faults);
  check.require(dataset.num_classes >= 2 && dataset.num_classes <= 255, "num_classes", "2 to 255",
                std::to_string(dataset.num_classes));
  check.require(!dataset.train.empty(), "train", "the name of a list of images", "nothing");
  check.require(!dataset.test.empty(), "test", "the name of a list of images", "nothing");
  if (dataset.depth_encoding.empty()) return;
  try {
    parse_depth_encoding(dataset.depth_encoding);
  } catch (const ArgumentError&) {
    check.require(false, "depth_encoding", "one of " + std::string(depth_encoding_names),
                  dataset.depth_encoding);
  }
}

inline void check_loss(const Recipe& recipe, std::vector<std::string>& faults) {
  const RecipeLoss& loss = recipe.loss;
  const RecipeChecks check("loss.", faults);
  check.at_least("cross_entropy", loss.cross_entropy, 0);
  check.at_least("ohem", loss.ohem, 0);
  check.at_least("dice", loss.dice, 0);
  check.at_least("focal", loss.focal, 0);
  check.at_least("lovasz", loss.lovasz, 0);
  check.at_least("tversky", loss.tversky, 0);
  check.share("label_smoothing", loss.label_smoothing);
  const double sum = loss.cross_entropy + loss.ohem + loss.dice + loss.focal + loss.lovasz + loss.tversky;
  check.require(sum > 0, "cross_entropy", "a weight above 0 here or for another part of the loss",
                "0 for all of them");
  for (double weight : loss.class_weight) check.at_least("class_weight", weight, 0);
  check.require(
      loss.class_weight.empty() ||
          loss.class_weight.size() == static_cast<std::size_t>(recipe.dataset.num_classes),
      "class_weight",
      "none, or one number for each of the " + std::to_string(recipe.dataset.num_classes) + " classes",
      std::to_string(loss.class_weight.size()));
}

inline void check_evaluation(const RecipeEvaluation& evaluation, std::vector<std::string>& faults) {
  const RecipeChecks check("evaluation.", faults);
  check.at_least("checkpoint_start", evaluation.checkpoint_start, 0);
  check.at_least("interval", evaluation.interval, 1);
  check.scales("scales", evaluation.scales);
  check.at_least("size_multiple", evaluation.size_multiple, 1);
  if (evaluation.padded_size) check.extent("padded_size", *evaluation.padded_size);
  const auto& window = evaluation.window;
  const auto& stride = evaluation.stride;
  if (window) check.extent("window", *window);
  if (!stride) return;
  check.require(window.has_value(), "stride", "nothing where there is no window", "a stride");
  if (!window) return;
  check.require(stride->height >= 1 && stride->width >= 1 && stride->height <= window->height &&
                    stride->width <= window->width,
                "stride", "1 up to the window's extents",
                std::to_string(stride->height) + " and " + std::to_string(stride->width));
}

/// What AsymFormer asks beside: depth in metres, sizes of whole patches, and all parameters to be trained,
/// since DFormer's rule would leave its layer scales and half of its norms as they begin.
inline void check_asymformer(const Recipe& recipe, std::vector<std::string>& faults) {
  const RecipeChecks check("", faults);
  const auto whole = [&](const char* key, const std::optional<ImageSize>& size) {
    if (!size) return;
    check.require(size->height % 32 == 0 && size->width % 32 == 0, key, "multiples of 32 for AsymFormer",
                  std::to_string(size->height) + " and " + std::to_string(size->width));
  };
  whole("augmentation.crop", recipe.augmentation.crop);
  whole("evaluation.window", recipe.evaluation.window);
  check.require(recipe.optimizer.parameters != ParameterPolicy::official, "optimizer.parameters",
                "full_decay, or full, for AsymFormer", "official, which is DFormer's");
  const RecipeDataset& dataset = recipe.dataset;
  check.require(dataset.holes == HolePolicy::keep, "dataset.holes", "keep for AsymFormer",
                std::string(to_string(dataset.holes)));
  const bool is_length = dataset.depth_encoding.empty()
                             ? dataset.layout == RecipeLayout::asymformer
                             : dataset.depth_encoding == "mm" || dataset.depth_encoding == "sun" ||
                                   dataset.depth_encoding == "tum" || dataset.depth_encoding == "metre";
  check.require(is_length, "dataset.depth_encoding",
                "mm, sun, tum or metre for AsymFormer, which reads metres",
                dataset.depth_encoding.empty() ? "that of the layout, greys" : dataset.depth_encoding);
}

}  // namespace detail

/// Every setting that cannot be, what was expected and what was given: "epochs: 1 or more expected, got 0".
inline std::vector<std::string> recipe_faults(const Recipe& recipe) {
  std::vector<std::string> faults;
  const detail::RecipeChecks check("", faults);
  if (std::ranges::find(model_names, recipe.model) == model_names.end()) {
    const std::string near =
        nearest_name(recipe.model, std::vector<std::string>(model_names.begin(), model_names.end()));
    std::string names;
    for (std::string_view name : model_names) (names += names.empty() ? "" : ", ") += name;
    check.require(false, "model", "one of " + names,
                  "\"" + recipe.model + "\"" + (near.empty() ? "" : "; did you mean " + near + "?"));
  }
  check.at_least("epochs", recipe.epochs, 1);
  check.at_least("batch_size", recipe.batch_size, 1);
  check.at_least("accumulate", recipe.accumulate, 1);
  check.share("ema_decay", recipe.ema_decay);
  check.require(recipe.seed <= INT64_MAX, "seed", "at most 2^63 - 1", std::to_string(recipe.seed));
  detail::check_dataset(recipe, faults);

  const detail::RecipeChecks augmentation("augmentation.", faults);
  augmentation.extent("crop", recipe.augmentation.crop);
  augmentation.scales("scales", recipe.augmentation.scales);
  const detail::RecipeChecks network("network.", faults);
  network.share("drop_path", recipe.network.drop_path);
  network.share("dropout", recipe.network.dropout);

  const detail::RecipeChecks optimizer("optimizer.", faults);
  optimizer.positive("lr", recipe.optimizer.lr);
  optimizer.at_least("weight_decay", recipe.optimizer.weight_decay, 0);
  optimizer.share("beta1", recipe.optimizer.beta1);
  optimizer.share("beta2", recipe.optimizer.beta2);
  optimizer.positive("eps", recipe.optimizer.eps);
  optimizer.share("momentum", recipe.optimizer.momentum);
  optimizer.at_least("clip_norm", recipe.optimizer.clip_norm, 0);
  const detail::RecipeChecks schedule("schedule.", faults);
  schedule.at_least("warmup_epochs", recipe.schedule.warmup_epochs, 0);
  schedule.at_least("power", recipe.schedule.power, 0);

  detail::check_loss(recipe, faults);
  detail::check_evaluation(recipe.evaluation, faults);
  if (recipe.model == "AsymFormer") detail::check_asymformer(recipe, faults);
  const detail::RecipeChecks checkpoints("checkpoints.", faults);
  checkpoints.at_least("keep_best", recipe.checkpoints.keep_best, 0);
  checkpoints.at_least("every_epochs", recipe.checkpoints.every_epochs, 1);
  checkpoints.at_least("every_iterations", recipe.checkpoints.every_iterations, 0);
  const detail::RecipeChecks machine("machine.", faults);
  machine.at_least("threads", recipe.machine.threads, 0);
  machine.at_least("workers", recipe.machine.workers, 0);
  return faults;
}

/// Throws: ArgumentError naming the key of a setting that cannot be, what was given and what was expected.
inline void require_valid(const Recipe& recipe) {
  const std::vector<std::string> faults = recipe_faults(recipe);
  if (!faults.empty()) throw_argument_error("[recipe] " + faults.front());
}

}  // namespace dformer
