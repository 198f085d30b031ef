#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "common/backend.hpp"
#include "common/recipe_toml.hpp"

namespace dformer::programs {

struct TrainOptions {
  std::filesystem::path recipe_file;
  std::vector<std::string> print_recipe;
  std::string data;
  std::filesystem::path out;
  std::vector<std::string> overrides;
  std::filesystem::path pretrained;
  std::filesystem::path load_from;
  std::string resume;
  std::optional<int> epochs;
  std::optional<int> batch_size;
  std::optional<int> workers;
  std::optional<int> threads;
  std::optional<std::uint64_t> seed;
  bool checkpoint_blocks = false;
  std::int64_t max_iterations = 0;
  std::size_t max_val_images = 0;
  BackendOptions backend;
  bool deterministic = false;

  void add_to(CLI::App& app) {
    app.add_option("recipe", recipe_file, "a TOML file, such as those in examples/recipes");
    app.add_option("--print-recipe", print_recipe,
                   "a network and nyudepthv2 or sunrgbd: prints the official recipe and ends")
        ->expected(2);
    app.add_option("--data", data, "the folder of the data set; dataset.root of the recipe");
    app.add_option("--out", out, "the folder of the run, made where it is missing");
    app.add_option("--cfg-options", overrides, "other settings, as section.key=value");
    add_start_to(app);
    app.add_option("--epochs", epochs, "another number; the learning rate falls over so many");
    app.add_option("--batch-size", batch_size, "another number");
    app.add_option("--workers", workers, "threads that read and augment images");
    app.add_option("--threads", threads, "threads that train; 0 for all processors");
    app.add_option("--seed", seed, "another number");
    backend.add_device_to(app);
    app.add_flag("--deterministic", deterministic,
                 "the same weights to the last bit at each run on a GPU, as on a CPU always; slower");
    app.add_flag("--checkpoint-blocks", checkpoint_blocks, "less memory, more time");
    app.add_option("--max-iters", max_iterations,
                   "stop after so many batches in all, score and save; 0 for no such limit")
        ->check(CLI::NonNegativeNumber);
    app.add_option("--max-val-iters", max_val_images, "score with so many images; 0 for all");
    app.callback([this] {
      if (!print_recipe.empty()) return;
      if (recipe_file.empty()) throw CLI::RequiredError("recipe");
      if (out.empty()) throw CLI::RequiredError("--out");
    });
  }

  /// The recipe with all that the command line changes of it. Throws: ArgumentError.
  Recipe recipe() const {
    Recipe result = read_recipe(recipe_file);
    for (const std::string& each : overrides) override_recipe(result, each);
    if (!data.empty()) result.dataset.root = data;
    if (epochs) result.epochs = *epochs;
    if (batch_size) result.batch_size = *batch_size;
    if (workers) result.machine.workers = *workers;
    if (threads) result.machine.threads = *threads;
    if (seed) result.seed = *seed;
    if (checkpoint_blocks) result.machine.checkpoint_blocks = true;
    require_valid(result);
    if (result.dataset.root.empty()) {
      throw_argument_error("[recipe] dataset.root: the folder of a data set expected; pass --data DIR");
    }
    return result;
  }

  /// The training state to go on from; empty for none. "auto" is that of the run's own folder, if there is
  /// one.
  std::filesystem::path state_file() const {
    if (resume != "auto") return resume;
    std::error_code ignored;
    const std::filesystem::path last = out / "last.pth";
    return std::filesystem::exists(last, ignored) ? last : std::filesystem::path();
  }

 private:
  void add_start_to(CLI::App& app) {
    CLI::Option* backbone = app.add_option(
        "--pretrained", pretrained, "a checkpoint whose backbone is taken; the decode head starts anew");
    CLI::Option* weights =
        app.add_option("--load-from", load_from,
                       "a checkpoint whose weights are taken; the last layer starts anew for other classes");
    backbone->excludes(weights);
    app.add_option("--resume", resume,
                   "a training state to go on from: last.pth or epoch-*.pth of a run, one of the official "
                   "code, or auto for the run's own last.pth where there is one");
  }
};

}  // namespace dformer::programs
