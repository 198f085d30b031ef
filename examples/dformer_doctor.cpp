// Looks for what is wrong with a data set, a checkpoint, a recipe and the machine, and says what to do.
#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include "common/program.hpp"
#include "common/progress_bar.hpp"
#include "common/recipe_toml.hpp"
#include "dformer_doctor_machine.hpp"
#include "dformer_doctor_options.hpp"
#include "dformer_doctor_report.hpp"
#include <dformer/backend/count/count.hpp>
#include <dformer/data/dataset_checkup.hpp>
#include <dformer/eval/timing.hpp>
#include <dformer/io/checkpoint_checkup.hpp>
#include <dformer/io/load.hpp>
#include <dformer/models/zoo.hpp>
#include <dformer/train/recipe_checkup.hpp>

namespace dformer::programs {
namespace {

/// The published networks, with as many classes as the file has.
std::vector<CandidateNetwork> candidates(const Checkpoint& checkpoint) {
  int classes = class_count_of(checkpoint).value_or(NYUDepthv2::num_classes);
  if (classes < 2 || classes > 255) classes = NYUDepthv2::num_classes;
  std::vector<CandidateNetwork> result;
  for (const std::string_view model : model_names) {
    const bool v2 = model.starts_with("DFormerv2");
    for (const OfficialDataset like : {OfficialDataset::nyu_depth_v2, OfficialDataset::sunrgbd}) {
      if (!v2 && like == OfficialDataset::sunrgbd) continue;  // the same network
      const auto network = make_segmenter<Count>(model, classes, like);
      result.push_back(
          {std::string(model), v2 ? std::string(recipe_word(like)) : "", load_targets(*network)});
    }
  }
  return result;
}

CheckpointCheckup check_checkpoint_file(const std::filesystem::path& file) {
  try {
    const Checkpoint checkpoint(file);
    return check_checkpoint(checkpoint, candidates(checkpoint));
  } catch (const CheckpointError& error) {
    return unreadable_checkpoint(file, error);
  }
}

/// `names` reads the names of the classes; where it cannot, that is one more finding.
template <class Names>
DatasetCheckup check_data(const std::filesystem::path& root, DatasetCheckOptions check,
                          const DoctorOptions& options, const Names& names) {
  std::string unreadable_names;
  try {
    check.names = names();
    if (check.num_classes == 0) check.num_classes = static_cast<int>(check.names.size());
  } catch (const ArgumentError& error) {
    unreadable_names = error.what();
  }
  if (options.all) check.most_decoded = 0;
  check.threads = options.decoding_threads();
  std::optional<ProgressBar> bar;
  Stopwatch watch;
  double elapsed = 0;
  check.progress = [&](std::size_t done, std::size_t total) {
    if (!bar) bar.emplace(total);
    bar->update(done, elapsed += watch.lap(), "");
  };
  DatasetCheckup checkup = check_dataset(root, check);
  if (!unreadable_names.empty()) {
    checkup.find(dataset_findings::class_names, {{}, 0, unreadable_names});
    checkup.sort();
  }
  return checkup;
}

void check_recipe_file(const DoctorOptions& options, const CheckpointCheckup* checkpoint,
                       std::vector<Checkup>& checkups) {
  Checkup checkup{"recipe " + options.recipe.string()};
  std::optional<Recipe> recipe = examine_recipe(options.recipe, checkup);
  std::optional<DatasetCheckup> data;
  if (recipe) {
    if (!options.data.empty()) recipe->dataset.root = options.data.string();
    const RecipeDataset& dataset = recipe->dataset;
    if (!dataset.root.empty()) {
      data = check_data(dataset.root, dataset_check_of(dataset), options,
                        [&] { return class_names_of(dataset); });
    }
    check_recipe(*recipe, options.recipe.string(), {data ? &*data : nullptr, checkpoint}, checkup);
  }
  if (data) checkups.push_back(std::move(*data));
  checkups.push_back(std::move(checkup));
}

void list_findings() {
  print_table("Data sets", dataset_findings::all);
  print_table("Checkpoints", checkpoint_findings::all);
  print_table("Recipes", recipe_findings::all);
  print_table("Machines", machine_findings::all);
}

int run(const DoctorOptions& options) {
  if (options.list_findings) return list_findings(), 0;
  std::vector<Checkup> checkups{check_machine(options.out)};
  std::optional<CheckpointCheckup> checkpoint;
  if (!options.checkpoint.empty()) checkpoint = check_checkpoint_file(options.checkpoint);
  if (!options.recipe.empty()) {
    check_recipe_file(options, checkpoint ? &*checkpoint : nullptr, checkups);
  } else if (!options.data.empty()) {
    const DatasetCheckOptions check{.layout = options.layout(), .lists = options.lists};
    checkups.push_back(check_data(options.data, check, options, [&] { return options.class_list(); }));
  }
  if (checkpoint) checkups.push_back(std::move(*checkpoint));

  for (const Checkup& checkup : checkups) print(checkup);
  std::printf("%s\n", summary(checkups).c_str());
  if (!options.json.empty()) write_json(options.json, to_json(checkups));
  const bool failed =
      count(checkups, Severity::error) > 0 || (options.strict && count(checkups, Severity::warning) > 0);
  return failed ? 1 : 0;
}

}  // namespace
}  // namespace dformer::programs

int main(int argc, char** argv) {
  CLI::App app(
      "Looks for what is wrong with a data set, a checkpoint, a recipe and the machine, and says what to do. "
      "Without options: the machine.",
      "dformer_doctor");
  dformer::programs::DoctorOptions options;
  options.add_to(app);
  return dformer::programs::run_program(app, argc, argv, [&] { return dformer::programs::run(options); });
}
