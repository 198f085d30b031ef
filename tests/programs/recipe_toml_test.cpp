// Recipes as files: what is written reads back, what is wrong is named, and the official files are what the
// code says.
#include "common/recipe_toml.hpp"

#include <initializer_list>
#include <string>

#include <gtest/gtest.h>

#include "programs/run.hpp"
#include <dformer/train/official_recipes.hpp>

namespace dformer::programs {
namespace {

using dformer::testing::error_of;
using dformer::testing::expect_mentions;

/// A recipe none of whose settings is the default one.
Recipe unusual_recipe() {
  Recipe recipe = official_recipe("DFormerv2_L", OfficialDataset::sunrgbd);
  recipe.seed = (1ull << 63) - 1;
  recipe.accumulate = 2;
  recipe.ema_decay = 0.9999;
  recipe.dataset = {.root = "/data/a \"quoted\" \\ folder\n\x01",
                    .layout = RecipeLayout::custom,
                    .train = "a.txt",
                    .test = "b.txt",
                    .num_classes = 3,
                    .classes = "",
                    .labels = LabelNumbering::from_zero,
                    .depth_encoding = "mm",
                    .holes = HolePolicy::fill};
  recipe.augmentation = {.crop = {96, 128}, .scales = {1.0 / 3.0, 1e-300}, .flip = false};
  recipe.network.draw_bases = false;
  recipe.network.dropout = 0.25;
  recipe.optimizer = {.type = RecipeOptimizer::sgd,
                      .lr = 1.25e-7,
                      .weight_decay = 0,
                      .beta1 = 0.8,
                      .beta2 = 0.99,
                      .eps = 1e-6,
                      .momentum = 0.5,
                      .parameters = ParameterPolicy::full,
                      .clip_norm = 5};
  recipe.schedule = {.warmup_epochs = 0, .power = 1, .update = LrUpdate::before_step};
  recipe.loss = {.cross_entropy = 0.5,
                 .ohem = 1,
                 .dice = 2,
                 .focal = 3,
                 .lovasz = 4,
                 .tversky = 5,
                 .label_smoothing = 0.1,
                 .class_weight = {1, 0.5, 123456789.125}};
  recipe.evaluation = {.epochs = EvaluationEpochs::every,
                       .checkpoint_start = 3,
                       .interval = 4,
                       .scales = {1},
                       .size_multiple = 1,
                       .flip = false,
                       .window = ImageSize{5, 6},
                       .stride = ImageSize{3, 4},
                       .padded_size = ImageSize{7, 8},
                       .absent = AbsentClasses::standard};
  recipe.checkpoints = {.keep_best = 1, .every_epochs = 2, .every_iterations = 3};
  recipe.machine = {.threads = 1, .workers = 0, .checkpoint_blocks = true};
  return recipe;
}

TEST(RecipeToml, ReadsBackWhatItWrites) {
  const Recipe recipe = unusual_recipe();
  EXPECT_EQ(parse_recipe(to_toml(recipe), "file"), recipe);
  EXPECT_EQ(parse_recipe(to_toml(Recipe{}), "file"), Recipe{});
  EXPECT_EQ(parse_recipe("", "file"), Recipe{});
  EXPECT_EQ(parse_recipe("[optimizer]\nlr = 1", "file").optimizer.lr, 1.0) << "a whole number is a number";
}

TEST(RecipeToml, TheOfficialFilesAreWhatTheCodeSays) {
  for (const OfficialDataset dataset : {OfficialDataset::nyu_depth_v2, OfficialDataset::sunrgbd}) {
    for (const std::string_view model : model_names) {
      const std::string name = std::string(model) + "_" + std::string(recipe_word(dataset)) + ".toml";
      SCOPED_TRACE(name);
      if (model == "AsymFormer" && dataset == OfficialDataset::sunrgbd) {
        expect_mentions(error_of<ArgumentError>([&] { official_recipe(model, dataset); }),
                        {"NYUDepthv2 only"});
        continue;
      }
      const std::filesystem::path file = std::filesystem::path(DFORMER_RECIPES) / name;
      const std::string text = dformer::testing::read_text(file);
      EXPECT_TRUE(text.ends_with(to_toml(official_recipe(model, dataset))))
          << "made by dformer_train --print-recipe";
      EXPECT_EQ(read_recipe(file), official_recipe(model, dataset));
    }
  }
}

TEST(RecipeToml, WhatIsWrongIsNamedWithItsLine) {
  const auto refused = [](const std::string& text, std::initializer_list<std::string> parts) {
    SCOPED_TRACE(text);
    expect_mentions(error_of<ArgumentError>([&] { parse_recipe(text, "my.toml"); }), parts);
  };
  refused("\nmodle = \"x\"", {"[my.toml:2] modle", "no such setting", "did you mean model?"});
  refused("lr = 1", {"lr: there is no such setting; did you mean optimizer.lr?"});
  refused("[optimizer]\nlr = 1\nmomentun = 2",
          {"[my.toml:3] optimizer.momentun", "did you mean optimizer.momentum?"});
  refused("[optimiser]\nlr = 1", {"optimiser: there is no such section", "did you mean optimizer?"});
  refused("[optimizer]\nlr = \"fast\"", {"[my.toml:2] optimizer.lr", "a number expected", "fast"});
  refused("[optimizer]\nlr = nan", {"a number expected"});
  refused("[optimizer]\ntype = \"adam\"", {"optimizer.type", "adamw or sgd", "adam"});
  refused("epochs = 1.5", {"epochs", "a whole number", "1.5"});
  refused("epochs = 3000000000", {"epochs", "a whole number"});
  refused("seed = -1", {"seed", "0 or more", "-1"});
  refused("model = 3", {"model", "a text in quotes", "3"});
  refused("optimizer = 3", {"a section, [optimizer], expected, got 3"});
  refused("[augmentation]\ncrop = []", {"augmentation.crop", "a height and a width"});
  refused("[evaluation]\nwindow = [1]", {"evaluation.window", "or [] expected, got [1]"});
  refused("[evaluation]\nflip = [0.5, [2], 'x']", {"evaluation.flip", "got [0.5, […], 'x']"});
  refused("[batch_size]\nscales = [0.1]", {"batch_size", "got a section"});
  refused("[evaluation]\nflip = 1", {"evaluation.flip", "true or false"});
  refused("[evaluation]\nscales = [1, \"2\"]", {"evaluation.scales", "numbers in brackets"});
  refused("epochs = = 3", {"[my.toml:1] is no TOML"});
  for (const char* text : {"\n[~optimizer]", "\n[", "\n [[ #]]", "\n[[ [ ' '", "\n\xC2\xA0[\t.a]",
                           "\noptimi\xD2\x98r = 1", "\nseed = 1b'\xC2\xA6'", "\nseed = 2~.'\xC2\xA6",
                           "\nmodel = \"\"\"\\ \n\xC2\xA6\"\"\"", "\nscales = [1, }", "\nepochs = }"})
    refused(text, {"[my.toml:2] is no TOML"});
  refused("[optimizer]\nlr = 9007199254740993", {"optimizer.lr: a number expected"});
  refused("[augmentation]\ncrop = [9007199254740993, 480]", {"augmentation.crop"});
  std::string deep = "a";
  for (int i = 0; i < 300000; ++i) deep += ".a";
  refused(deep + " = 1", {"more than 4096 dots"});
  expect_mentions(error_of<ArgumentError>([] { read_recipe("/nowhere/my.toml"); }),
                  {"/nowhere/my.toml", "cannot be opened"});
  expect_mentions(error_of<ArgumentError>([] { read_recipe("/dev/zero"); }), {"/dev/zero", "1 MB"});
  Recipe recipe;
  expect_mentions(error_of<ArgumentError>([&] { override_recipe(recipe, "[~=1"); }), {"--cfg-options [~=1"});
}

TEST(RecipeToml, TextsMayHoldAnyCharacter) {
  const std::string root = "/data/gr\xC3\xB6\xC3\x9F";
  for (const std::string quote : {"\"", "'", "\"\"\"", "'''"}) {
    const std::string text = "[dataset]\nroot = " + quote + root + quote + " # in gr\xC3\xB6\xC3\x9F\n";
    EXPECT_EQ(parse_recipe(text, "my.toml").dataset.root, root) << text;
  }
}

TEST(RecipeToml, SettingsOfTheCommandLine) {
  Recipe recipe;
  for (const char* each : {"optimizer.lr=1e-4", "model=DFormer_Small",
                           "dataset.root=/data/gr\xC3\xB6\xC3\x9F"
                           "e",
                           "dataset.root=/data/my set", "evaluation.window=[480, 480]", "optimizer.type=sgd",
                           "loss.class_weight=[1, 2]", "evaluation.flip=false", "seed=7"}) {
    override_recipe(recipe, each);
  }
  EXPECT_EQ(recipe.optimizer.lr, 1e-4);
  EXPECT_EQ(recipe.model, "DFormer_Small");
  EXPECT_EQ(recipe.dataset.root, "/data/my set");
  EXPECT_EQ(recipe.evaluation.window, (ImageSize{480, 480}));
  EXPECT_EQ(recipe.optimizer.type, RecipeOptimizer::sgd);
  EXPECT_EQ(recipe.loss.class_weight, (std::vector<double>{1, 2}));
  EXPECT_FALSE(recipe.evaluation.flip);
  EXPECT_EQ(recipe.seed, 7u);
  override_recipe(recipe, "evaluation.window=[]");
  EXPECT_FALSE(recipe.evaluation.window.has_value());

  const Recipe before = recipe;
  for (const char* bad :
       {"optimizer.lr=fast", "optimizer.lr", "=3", "optimizer..lr=3", "", "lr=3", "optimizer=3"}) {
    EXPECT_THROW(override_recipe(recipe, bad), ArgumentError) << bad;
  }
  EXPECT_EQ(recipe, before);
  expect_mentions(error_of<ArgumentError>([&] { override_recipe(recipe, "lr=3"); }),
                  {"[--cfg-options lr=3]", "did you mean optimizer.lr?"});
}

}  // namespace
}  // namespace dformer::programs
