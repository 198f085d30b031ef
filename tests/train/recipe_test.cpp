#include <cstdint>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "images/image_test.hpp"
#include <dformer/backend/cpu/cpu.hpp>
#include <dformer/backend/cpu/gradients/gradients.hpp>
#include <dformer/train/official_recipes.hpp>
#include <dformer/train/recipe_loss.hpp>
#include <dformer/train/recipe_parts.hpp>

namespace dformer {
namespace {

using testing::error_of;
using testing::expect_mentions;

/// The rows of the official configurations: batch size, drop path.
struct OfficialRow {
  std::string_view model;
  OfficialDataset dataset;
  int batch_size;
  double drop_path;
};
constexpr auto nyu = OfficialDataset::nyu_depth_v2;
constexpr auto sun = OfficialDataset::sunrgbd;
constexpr OfficialRow official_rows[]{
    {"DFormer_Tiny", nyu, 8, 0.1},   {"DFormer_Small", nyu, 8, 0.1},  {"DFormer_Base", nyu, 8, 0.1},
    {"DFormer_Large", nyu, 8, 0.15}, {"DFormerv2_S", nyu, 16, 0.25},  {"DFormerv2_B", nyu, 8, 0.2},
    {"DFormerv2_L", nyu, 12, 0.3},   {"DFormer_Tiny", sun, 16, 0.1},  {"DFormer_Small", sun, 16, 0.1},
    {"DFormer_Base", sun, 16, 0.1},  {"DFormer_Large", sun, 16, 0.2}, {"DFormerv2_S", sun, 16, 0.1},
    {"DFormerv2_B", sun, 16, 0.1},   {"DFormerv2_L", sun, 16, 0.27}};

TEST(OfficialRecipe, HasTheNumbersOfTheConfigurations) {
  for (const OfficialRow& row : official_rows) {
    SCOPED_TRACE(row.model);
    const Recipe recipe = official_recipe(row.model, row.dataset);
    const bool is_nyu = row.dataset == nyu;
    EXPECT_EQ(recipe.model, row.model);
    EXPECT_EQ(recipe.batch_size, row.batch_size);
    EXPECT_EQ(recipe.network.drop_path, row.drop_path);
    EXPECT_EQ(recipe.epochs, is_nyu ? 500 : 300);
    EXPECT_EQ(recipe.optimizer.lr, is_nyu ? 6e-5 : 8e-5);
    EXPECT_EQ(recipe.evaluation.checkpoint_start, is_nyu ? 250 : 200);
    EXPECT_EQ(recipe.augmentation.crop, (is_nyu ? ImageSize{480, 640} : ImageSize{480, 480}));
    EXPECT_EQ(recipe.dataset.num_classes, is_nyu ? 40 : 37);
    EXPECT_EQ(recipe.evaluation.padded_size.has_value(), !is_nyu && row.model.starts_with("DFormerv2"));
    EXPECT_EQ(recipe.network.like, row.dataset);
    EXPECT_EQ(recipe.schedule.warmup_epochs, 10);
    EXPECT_EQ(recipe.optimizer.weight_decay, 0.01);
    EXPECT_EQ(recipe.seed, 12345u);
    EXPECT_NO_THROW(require_valid(recipe));
    EXPECT_EQ(layout_of(recipe.dataset).label_folder, is_nyu ? "Label" : "labels");
    EXPECT_EQ(classes_of(recipe.dataset).size(), static_cast<std::size_t>(recipe.dataset.num_classes));
  }
  expect_mentions(error_of<ArgumentError>([] { official_recipe("DFormer_Larg", nyu); }),
                  {"model", "did you mean DFormer_Large?"});
}

TEST(Recipe, BecomesThePartsOfARun) {
  Recipe recipe = official_recipe("DFormer_Large", nyu);
  const WarmUpPolyLR schedule = schedule_of(recipe, 100);
  EXPECT_EQ(schedule.total_steps, 50000);
  EXPECT_EQ(schedule.warmup_steps, 1000);
  EXPECT_EQ(schedule.update, LrUpdate::after_step);
  EXPECT_EQ(protocol_of(recipe.evaluation), Protocol::multi_scale_flip());
  EXPECT_EQ(batches_of(recipe, ColorOrder::bgr).augmentation.crop_width, 640);
  EXPECT_TRUE(std::holds_alternative<AdamW>(rule_of(recipe.optimizer)));

  recipe.accumulate = 3;
  EXPECT_EQ(schedule_of(recipe, 100).total_steps, 16667);
  recipe.optimizer.type = RecipeOptimizer::sgd;
  EXPECT_EQ(std::get<Sgd>(rule_of(recipe.optimizer)).momentum, 0.9);
  recipe.evaluation.window = ImageSize{480, 480};
  EXPECT_EQ(protocol_of(recipe.evaluation).sliding->stride_width, 320);
  recipe.evaluation.stride = ImageSize{100, 200};
  EXPECT_EQ(protocol_of(recipe.evaluation).sliding->stride_width, 200);
  recipe.dataset.layout = RecipeLayout::asymformer;
  EXPECT_EQ(to_string(layout_of(recipe.dataset).depth.encoding), "mm");
  recipe.dataset.depth_encoding = "tum";
  EXPECT_EQ(to_string(layout_of(recipe.dataset).depth.encoding), "tum");
}

TEST(Recipe, SaysAfterWhichEpochsTheNetworkIsScored) {
  Recipe recipe = official_recipe("DFormer_Tiny", nyu);
  for (std::int64_t epoch : {1, 10, 250, 251, 252, 500}) EXPECT_TRUE(is_evaluated(recipe, epoch)) << epoch;
  for (std::int64_t epoch : {2, 11, 249}) EXPECT_FALSE(is_evaluated(recipe, epoch)) << epoch;
  recipe.epochs = 4;
  EXPECT_TRUE(is_evaluated(recipe, 4));
  recipe.epochs = 500;
  recipe.evaluation.epochs = EvaluationEpochs::every;
  recipe.evaluation.interval = 7;
  EXPECT_TRUE(is_evaluated(recipe, 14) && is_evaluated(recipe, 500));
  EXPECT_FALSE(is_evaluated(recipe, 1));
  recipe.evaluation.epochs = EvaluationEpochs::last;
  EXPECT_TRUE(is_evaluated(recipe, 500));
  EXPECT_FALSE(is_evaluated(recipe, 14));
  recipe.evaluation.epochs = EvaluationEpochs::never;
  EXPECT_FALSE(is_evaluated(recipe, 500));
}

TEST(Recipe, WhatCannotBeIsNamed) {
  const auto refused = [](const auto& change, std::initializer_list<std::string> parts) {
    Recipe recipe;
    change(recipe);
    expect_mentions(error_of<ArgumentError>([&] { require_valid(recipe); }), parts);
  };
  EXPECT_NO_THROW(require_valid(Recipe{}));
  refused([](Recipe& r) { r.epochs = 0; }, {"[recipe] epochs", "1 or more", "got 0"});
  refused([](Recipe& r) { r.dataset.num_classes = 256; }, {"dataset.num_classes", "256"});
  refused([](Recipe& r) { r.dataset.depth_encoding = "inch"; }, {"dataset.depth_encoding", "tum", "inch"});
  refused([](Recipe& r) { r.augmentation.scales = {1, -1}; }, {"augmentation.scales", "1, -1"});
  refused([](Recipe& r) { r.augmentation.crop = {0, 4}; }, {"augmentation.crop", "0 and 4"});
  refused([](Recipe& r) { r.network.drop_path = 1; }, {"network.drop_path", "below 1"});
  refused([](Recipe& r) { r.optimizer.lr = 0; }, {"optimizer.lr", "positive"});
  refused([](Recipe& r) { r.loss.cross_entropy = 0; }, {"loss.cross_entropy", "another part"});
  refused([](Recipe& r) { r.loss.class_weight = {1, 2}; }, {"loss.class_weight", "40", "got 2"});
  refused([](Recipe& r) { r.evaluation.stride = ImageSize{1, 1}; }, {"evaluation.stride", "no window"});
  refused(
      [](Recipe& r) {
        r.evaluation.window = ImageSize{9, 9}, r.evaluation.stride = ImageSize{10, 9};
      },
      {"evaluation.stride", "10 and 9"});
  refused([](Recipe& r) { r.ema_decay = 1.0; }, {"ema_decay"});
}

// The numbers of its authors' training script; what else it asks is checked before a run begins.
TEST(Recipe, AsymFormerHasItsOwn) {
  const Recipe official = official_recipe("AsymFormer", nyu);
  EXPECT_NO_THROW(require_valid(official));
  EXPECT_EQ(official.epochs, 500);
  EXPECT_EQ(official.batch_size, 8);
  EXPECT_EQ(official.seed, 2333u);
  EXPECT_EQ(official.optimizer.lr, 5e-5);
  EXPECT_EQ(official.optimizer.weight_decay, 0.01);
  EXPECT_EQ(official.schedule.warmup_epochs, 4);
  EXPECT_EQ(official.network.drop_path, 0.3);
  EXPECT_EQ(to_string(layout_of(official.dataset).depth.encoding), "mm");
  const auto refused = [&](const auto& change, std::initializer_list<std::string> parts) {
    Recipe recipe = official;
    change(recipe);
    expect_mentions(error_of<ArgumentError>([&] { require_valid(recipe); }), parts);
  };
  refused(
      [](Recipe& r) {
        r.augmentation.crop = {480, 650};
      },
      {"augmentation.crop", "multiples of 32", "650"});
  refused([](Recipe& r) { r.evaluation.window = ImageSize{400, 640}; }, {"evaluation.window", "400 and 640"});
  refused([](Recipe& r) { r.optimizer.parameters = ParameterPolicy::official; },
          {"optimizer.parameters", "full_decay", "DFormer's"});
  refused([](Recipe& r) { r.dataset.holes = HolePolicy::fill; }, {"dataset.holes", "keep", "fill"});
  refused([](Recipe& r) { r.dataset.layout = RecipeLayout::sunrgbd; },
          {"dataset.depth_encoding", "reads metres", "greys"});
}

TEST(Recipe, NamesOfClassesMustBeAsManyAsClasses) {
  RecipeDataset dataset{.num_classes = 5};
  expect_mentions(error_of<ArgumentError>([&] { classes_of(dataset); }), {"nyu40", "40", "5"});
  dataset.classes = "";
  EXPECT_EQ(classes_of(dataset).size(), 0u);
  const testing::TemporaryFolder folder;
  folder.write("names.txt", "a\nb\nc\nd\ne\n");
  dataset.root = folder.path();
  dataset.classes = "names.txt";
  EXPECT_EQ(classes_of(dataset).name(4), "e");
}

TEST(RecipeLoss, IsTheWeightedSumOfItsTerms) {
  const auto& device = Cpu<>::default_device();
  std::vector<float> scores(2 * 4 * 4 * 3);
  for (std::size_t i = 0; i < scores.size(); ++i) scores[i] = static_cast<float>(i % 7) / 3.0f;
  std::vector<std::uint8_t> labels(2 * 8 * 8);
  for (std::size_t i = 0; i < labels.size(); ++i) labels[i] = static_cast<std::uint8_t>(i % 3);
  const auto logits = Cpu<>::from_host(device, {2, 4, 4, 3}, scores);
  const LabelMap map{labels, 2, 8, 8};
  const auto value = [&](const RecipeLoss& recipe) { return loss_of<Cpu<>>(recipe)(logits, map).value; };
  const double alone = CrossEntropy<Cpu<>>{}(logits, map).value;
  const double dice = Dice<Cpu<>>{}(logits, map).value;
  EXPECT_EQ(value({}), alone);
  EXPECT_DOUBLE_EQ(value({.cross_entropy = 0.5, .dice = 3.0}), 0.5 * alone + 3.0 * dice);
  EXPECT_NE(value({.class_weight = {1, 2, 3}}), alone);
  for (const RecipeLoss& one :
       {RecipeLoss{.cross_entropy = 0, .ohem = 1}, RecipeLoss{.cross_entropy = 0, .focal = 1},
        RecipeLoss{.cross_entropy = 0, .lovasz = 1}, RecipeLoss{.cross_entropy = 0, .tversky = 1}}) {
    EXPECT_GT(value(one), 0.0);
  }
}

}  // namespace
}  // namespace dformer
