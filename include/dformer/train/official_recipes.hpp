#pragma once

#include <array>
#include <string_view>

#include <dformer/eval/official_padding.hpp>
#include <dformer/train/recipe_checks.hpp>

namespace dformer {

namespace detail {

/// What the official configurations differ in, model by model.
struct OfficialNumbers {
  std::string_view model;
  int nyu_batch_size;
  double nyu_drop_path;
  double sunrgbd_drop_path;
};

inline constexpr std::array<OfficialNumbers, 7> dformer_numbers{{{"DFormer_Tiny", 8, 0.1, 0.1},
                                                                 {"DFormer_Small", 8, 0.1, 0.1},
                                                                 {"DFormer_Base", 8, 0.1, 0.1},
                                                                 {"DFormer_Large", 8, 0.15, 0.2},
                                                                 {"DFormerv2_S", 16, 0.25, 0.1},
                                                                 {"DFormerv2_B", 8, 0.2, 0.1},
                                                                 {"DFormerv2_L", 12, 0.3, 0.27}}};

/// AsymFormer's training script in what a recipe can say: not its augmentations by mosaic, cut-mix, rotation
/// and colour, nor quite its rates: its warm-up begins at a thousandth, and the fall at the end of that.
inline Recipe asymformer_recipe() {
  Recipe recipe;
  recipe.model = "AsymFormer";
  recipe.epochs = 500;
  recipe.batch_size = 8;
  recipe.seed = 2333;
  recipe.dataset.layout = RecipeLayout::asymformer;
  recipe.augmentation.scales = {1};
  recipe.network.drop_path = 0.3;
  recipe.optimizer.lr = 5e-5;
  recipe.optimizer.parameters = ParameterPolicy::full_decay;
  recipe.schedule.warmup_epochs = 4;
  recipe.schedule.update = LrUpdate::before_step;
  recipe.evaluation.scales = {1};
  recipe.evaluation.flip = false;
  return recipe;
}

}  // namespace detail

/// The settings of the official configuration of a model (`model_names`) for a data set. Scoring is that of
/// the official training script: multi-scale, mirrored, whole images, which for DFormerv2 on SUNRGBD are
/// padded; AsymFormer's is single-scale. Throws: ArgumentError for a model that there is not, and for
/// AsymFormer on SUNRGBD, of which no training script was published.
inline Recipe official_recipe(std::string_view model, OfficialDataset dataset) {
  if (model == "AsymFormer") {
    if (dataset == OfficialDataset::nyu_depth_v2) return detail::asymformer_recipe();
    throw_argument_error(
        "[recipe] AsymFormer has an official recipe for NYUDepthv2 only; begin with that one");
  }
  Recipe recipe;  // its defaults are the numbers of NYUDepthv2
  recipe.model = model;
  require_valid(recipe);
  const auto& numbers = *std::ranges::find(detail::dformer_numbers, model, &detail::OfficialNumbers::model);
  recipe.batch_size = numbers.nyu_batch_size;
  recipe.network.drop_path = numbers.nyu_drop_path;
  if (dataset == OfficialDataset::nyu_depth_v2) return recipe;

  recipe.epochs = 300;
  recipe.batch_size = 16;
  recipe.dataset.layout = RecipeLayout::sunrgbd;
  recipe.dataset.num_classes = 37;
  recipe.dataset.classes = "sunrgbd37";
  recipe.augmentation.crop = {480, 480};
  recipe.network.like = OfficialDataset::sunrgbd;
  recipe.network.drop_path = numbers.sunrgbd_drop_path;
  recipe.optimizer.lr = 8e-5;
  recipe.evaluation.checkpoint_start = 200;
  recipe.evaluation.padded_size = official_padded_size(model, dataset);
  return recipe;
}

}  // namespace dformer
