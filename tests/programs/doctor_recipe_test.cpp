// dformer_doctor on recipes: settings that are wrong by themselves, and beside a data set and a checkpoint.
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "programs/doctor.hpp"
#include "programs/doctor_weights.hpp"
#include <dformer/data/dataset_findings.hpp>
#include <dformer/data/scene/write_dataset.hpp>
#include <dformer/train/recipe_findings.hpp>

namespace dformer {
namespace {

namespace fs = std::filesystem;
namespace found = recipe_findings;
using testing::diagnose;
using testing::Diagnosis;
using testing::expect_mentions;
using testing::expect_only;
using testing::TemporaryFolder;
using Kinds = std::set<std::string>;

class DoctorRecipe : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    data_ = new TemporaryFolder;
    scene::DatasetOptions options{.train = 4, .test = 2};
    options.view.width = 64;
    options.view.height = 48;
    scene::write_dataset(*data_ / "set", options);
  }
  static void TearDownTestSuite() { delete data_; }

  /// A sound recipe for the data set, with one of its texts replaced.
  static std::string recipe(const std::string& from = "", const std::string& to = "") {
    std::string text = "model = \"DFormer_Tiny\"\nepochs = 20\nbatch_size = 2\n[dataset]\nroot = \"" +
                       (*data_ / "set").string() +
                       "\"\nnum_classes = 40\n[augmentation]\ncrop = [48, 64]\n[optimizer]\nparameters = "
                       "\"full\"\nlr = 6e-5\n[schedule]\nwarmup_epochs = 2\n";
    return from.empty() ? text : text.replace(text.find(from), from.size(), to);
  }
  Diagnosis check(const std::string& text, const std::vector<std::string>& more = {}) const {
    folder_.write("mine.toml", text);
    std::vector<std::string> arguments{"--recipe", (folder_ / "mine.toml").string(), "--threads", "1"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return diagnose(folder_, arguments);
  }
  void expect_wrong(const FindingKind& kind, const std::string& mentions, const std::string& from,
                    const std::string& to) const {
    SCOPED_TRACE(to);
    expect_only(check(recipe(from, to)), kind, mentions);
  }

  static inline TemporaryFolder* data_ = nullptr;
  TemporaryFolder folder_;
};

TEST_F(DoctorRecipe, NothingIsWrongWithASoundOne) {
  const Diagnosis diagnosis = check(recipe());
  EXPECT_EQ(diagnosis.kinds(), Kinds{}) << diagnosis.outcome.out;
  expect_mentions(diagnosis.outcome.out,
                  {"3 steps an epoch, 60 updates, 6 of them warm-up", "4 items decoded"});
}

TEST_F(DoctorRecipe, TheOfficialOnesStartFromACheckpoint) {
  for (const auto& entry : fs::directory_iterator(DFORMER_RECIPES)) {
    SCOPED_TRACE(entry.path());
    if (entry.path().filename().string().starts_with("AsymFormer")) {  // trains everything
      EXPECT_EQ(check(testing::read_text(entry.path())).kinds(), Kinds{});
      continue;
    }
    expect_only(check(testing::read_text(entry.path())), found::official_from_scratch,
                "optimizer.parameters");
  }
}

TEST_F(DoctorRecipe, SettingsThatAreRefused) {
  expect_wrong(
      found::unknown_setting,
      "mine.toml:13: schedule.warmup_epoch: there is no such setting; did you mean schedule.warmup_epochs?",
      "warmup_epochs", "warmup_epoch");
  expect_wrong(found::unknown_setting, "optimiser: there is no such section; did you mean optimizer?",
               "[optimizer]", "[optimizer]\nparameters = \"full\"\n[optimiser]");
  expect_wrong(found::invalid_setting, "mine.toml:2: epochs: a whole number expected", "20", "\"many\"");
  expect_wrong(found::invalid_setting, "batch_size: 1 or more expected, got 0", "batch_size = 2",
               "batch_size = 0");
  expect_wrong(found::unreadable_recipe, "mine.toml:2: is no TOML", "epochs =", "epochs = =");
  expect_wrong(found::holes_without_unit, "dataset.holes is fill, depth is greys", "num_classes = 40",
               "num_classes = 40\nholes = \"fill\"");
  expect_only(diagnose(folder_, {"--recipe", (folder_ / "nothing.toml").string()}), found::unreadable_recipe,
              "cannot be opened");
}

TEST_F(DoctorRecipe, SettingsThatAreUnlikely) {
  expect_wrong(found::warmup_too_long, "20 of 20 epochs", "warmup_epochs = 2", "warmup_epochs = 20");
  expect_wrong(found::learning_rate, "optimizer.lr is 0.1", "6e-5", "0.1");
  expect_wrong(found::learning_rate, "optimizer.lr is 1e-08", "6e-5", "1e-8");
  expect_wrong(found::official_from_scratch, "no checkpoint was given", "full", "official");
  expect_wrong(found::single_image_batch, "batch_size is 1", "batch_size = 2", "batch_size = 1");
  expect_wrong(found::padding, "padded_size is set for DFormer_Tiny", "[schedule]",
               "[evaluation]\npadded_size = [531, 730]\n[schedule]");
  expect_wrong(found::other_like, "network.like is sunrgbd, dataset.layout nyudepthv2", "DFormer_Tiny\"",
               "DFormerv2_S\"\nnetwork = {like = \"sunrgbd\"}");
}

TEST_F(DoctorRecipe, SettingsThatDoNotGoWithTheData) {
  expect_wrong(found::batch_exceeds_data, "batch_size is 5, train.txt has 4 images", "batch_size = 2",
               "batch_size = 5");
  expect_wrong(found::crop_exceeds_images, "480x640, images are up to 48x64", "[48, 64]", "[480, 640]");
  expect_wrong(found::slow_average, "10000 updates, the run has 60", "epochs = 20",
               "epochs = 20\nema_decay = 0.9999");
  expect_wrong(dataset_findings::class_count, "40 names, 39 classes", "num_classes = 40", "num_classes = 39");
  expect_wrong(dataset_findings::missing_list, "val.txt", "num_classes = 40",
               "num_classes = 40\ntest = \"val.txt\"");
  expect_wrong(dataset_findings::class_names, "cannot be opened", "num_classes = 40",
               "num_classes = 40\nclasses = \"names.txt\"");
  expect_only(check(recipe(), {"--data", (folder_ / "elsewhere").string()}), dataset_findings::no_dataset,
              "elsewhere");
}

TEST_F(DoctorRecipe, TheCheckpointToStartFrom) {
  const std::string file = folder_ / "weights.safetensors";
  testing::Weights("DFormer_Tiny", 13).write(file);
  const Diagnosis sound = check(recipe("full", "official"), {"--checkpoint", file});
  EXPECT_EQ(sound.kinds(), Kinds{}) << sound.outcome.out;
  EXPECT_FALSE(sound.finding(found::other_classes).is_null());
  expect_only(check(recipe("DFormer_Tiny", "DFormer_Small"), {"--checkpoint", file}), found::other_network,
              "model is DFormer_Small, the checkpoint is of DFormer_Tiny");
}

TEST_F(DoctorRecipe, OneRunNamesEverything) {
  const Diagnosis diagnosis = check(
      "modle = \"DFormer_Tiny\"\nepochs = 1.5\n[optimizer]\nlr = \"fast\"\nmomentun = 2\n[dataset]\n"
      "num_classes = 1\n");
  EXPECT_EQ(diagnosis.kinds(), (Kinds{"unknown_setting", "invalid_setting", "official_from_scratch"}));
  EXPECT_EQ(diagnosis.finding(found::unknown_setting).at("count"), 2);
  EXPECT_EQ(diagnosis.finding(found::invalid_setting).at("count"), 3);
  EXPECT_EQ(diagnosis.outcome.exit_code, 1);
}

TEST_F(DoctorRecipe, WrongCommandLines) {
  const auto code = [&](const std::vector<std::string>& arguments) {
    return testing::run(folder_, DFORMER_DOCTOR, arguments).exit_code;
  };
  EXPECT_EQ(code({"--dataset", "sunrgbd"}), 2) << "of no data set";
  EXPECT_EQ(code({"--data", "x", "--dataset", "kitti"}), 2);
  EXPECT_EQ(code({"--data", "x", "--depth-encoding", "inch"}), 2);
  EXPECT_EQ(code({"--data", "x", "--recipe", "y", "--classes", "nyu40"}), 2) << "the recipe says which";
  EXPECT_EQ(code({}), 0);
}

}  // namespace
}  // namespace dformer
