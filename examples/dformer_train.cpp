// Trains a network by a recipe, keeps the best checkpoints, and goes on where it was stopped.
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>

#include <CLI/CLI.hpp>

#include "common/backend.hpp"
#include "common/machine.hpp"
#include "common/program.hpp"
#include "common/recipe_toml.hpp"
#include "common/run_folder.hpp"
#include "common/stop_signals.hpp"
#include "common/weights.hpp"
#include "dformer_train_options.hpp"
#include "dformer_train_report.hpp"
#if defined(DFORMER_HAS_CUDA)
#include <dformer/backend/cuda/gradients/gradients.hpp>
#endif
#include <dformer/backend/cpu/cpu.hpp>
#include <dformer/data/dataset.hpp>
#include <dformer/models/zoo.hpp>
#include <dformer/train.hpp>
#include <dformer/train/official_recipes.hpp>
#include <dformer/train/recipe_loss.hpp>
#include <dformer/train/recipe_parts.hpp>
#include <dformer/version.hpp>

namespace dformer::programs {
namespace {

namespace fs = std::filesystem;

int print_recipe(const std::string& model, const std::string& dataset) {
  const auto like = recipe_value<OfficialDataset>(dataset);
  if (!like)
    throw_argument_error("[--print-recipe] " + recipe_words<OfficialDataset>() + " expected, got " + dataset);
  std::cout << "# The official recipe of " << model << " for "
            << (*like == OfficialDataset::sunrgbd ? "SUNRGBD" : "NYUDepthv2") << ".\n"
            << to_toml(official_recipe(model, *like));
  return 0;
}

/// Random weights, and what a checkpoint has of them.
template <class Network, class Device>
void start_weights(Network& network, const TrainOptions& options, std::uint64_t seed, const Device& device,
                   RunFolder& run) {
  initialize(network, seed, device);
  if (!options.pretrained.empty()) {
    // A pre-trained file lacks what its own task had no use for, such as the norms before the decode head.
    const Checkpoint checkpoint = read_checkpoint(options.pretrained);
    const LoadReport report =
        load(network, checkpoint,
             {.strict = false, .prefix = std::string(network.conventions.backbone_prefix)}, device);
    if (report.applied.empty() || !report.mismatched.empty()) throw LoadError(report);
    require_finite(report);
    run.say("Backbone: " + to_string(report));
  } else if (!options.load_from.empty()) {
    const LoadReport report = load(network, options.load_from,
                                   {.skip_mismatched = {classifiers.begin(), classifiers.end()}}, device);
    require_finite(report);
    run.say("Weights: " + to_string(report));
  } else if (options.state_file().empty()) {
    run.say(
        "Random weights: neither --pretrained, --load-from nor --resume was given. The official recipes "
        "start from a pre-trained backbone, and DFormer's never train layer scales; from scratch, set "
        "optimizer.parameters=full");
  }
}

template <class Run>
void go_on(Run& training, const fs::path& file, std::int64_t per_epoch, RunFolder& folder) {
  const std::uint64_t seed = training.progress.seed;
  const ResumedTraining resumed = training.resume(file, per_epoch);
  const auto& [epoch, iteration, file_seed, loss_scale] = resumed.progress;
  folder.say("Resumed: " + to_string(resumed.weights));
  if (!resumed.complete) {
    folder.say("[" + file.string() + "] gives weights only, " + resumed.lacks +
               ": training starts at epoch 1");
    return;
  }
  if (file_seed != seed) folder.say("The seed is that of the file, " + std::to_string(file_seed));
  if (!resumed.same_epochs) {
    folder.say(
        "The file's epochs have another number of steps (another batch size or data set): its last "
        "unfinished epoch is begun anew");
  }
  folder.say("Going on after " + std::to_string(epoch) + " epochs, " + std::to_string(iteration) + " steps");
}

Json describe_run(const TrainOptions& options, const Recipe& recipe, const RgbdDataset& data,
                  const RgbdDataset& test, const Json& machine, std::int64_t parameters) {
  return {{"dformer", version},
          {"begun", local_time_text()},
          {"recipe", options.recipe_file.string()},
          {"pretrained", options.pretrained.string()},
          {"load_from", options.load_from.string()},
          {"resume", options.state_file().string()},
          {"model", recipe.model},
          {"parameters", parameters},
          {"train", {{"data", data.description()}, {"images", data.size()}}},
          {"test", {{"data", test.description()}, {"images", test.size()}}},
          {"machine", machine}};
}

template <class Inner>
int train(const TrainOptions& options, const Recipe& recipe, const typename Inner::Device& device) {
  using B = Autodiff<Inner>;
  const ClassList classes = classes_of(recipe.dataset);
  const int num_classes = recipe.dataset.num_classes;
  const auto network = make_segmenter<B>(recipe.model, num_classes, recipe.network.like);
  const auto inference = make_segmenter<Inner>(recipe.model, num_classes, recipe.network.like);
  DatasetLayout layout = layout_of(recipe.dataset);
  layout.depth.as = network->depth_input;
  const RgbdDataset data(recipe.dataset.root, recipe.dataset.train, layout, num_classes);
  const RgbdDataset test(recipe.dataset.root, recipe.dataset.test, layout, num_classes);
  const auto per_epoch = static_cast<std::int64_t>(steps_per_epoch(data.size(), recipe.batch_size));

  const fs::path state = options.state_file();
  RunFolder folder(options.out, !state.empty());
  network->set_drop_path(static_cast<float>(recipe.network.drop_path));
  network->set_dropout(static_cast<float>(recipe.network.dropout));

  const Json machine = describe_machine<Inner>(device);
  write_file_atomically(folder.path() / "recipe.toml", std::string_view(to_toml(recipe)));
  write_json(folder.path() / "run.json",
             describe_run(options, recipe, data, test, machine, parameter_count(*network)));
  folder.say("dformer " + std::string(version) + ", " + local_time_text() + ": " + recipe.model + ", " +
             std::to_string(num_classes) + " classes; " + machine_text(machine));
  folder.say(std::to_string(data.size()) + " images of " + data.description() + "; " +
             std::to_string(test.size()) + " of " + test.description());
  start_weights(*network, options, recipe.seed, device, folder);

  const WarmUpPolyLR schedule = schedule_of(recipe, per_epoch);
  Trainer trainer(
      *network, loss_of<Inner>(recipe.loss),
      Optimizer<B>(rule_of(recipe.optimizer),
                   group_parameters(parameters(*network), recipe.optimizer.parameters)),
      [&](std::int64_t update) { return schedule.lr(update); }, trainer_options_of(recipe));
  std::unique_ptr<WeightAverage<B>> average;
  if (recipe.ema_decay > 0.0) average = std::make_unique<WeightAverage<B>>(*network, recipe.ema_decay);
  TrainingRun training{*network, *inference, trainer, average.get(), {.seed = recipe.seed}};
  if (!state.empty()) go_on(training, state, per_epoch, folder);

  FitOptions fitting = fit_options_of(recipe, folder.path());
  fitting.max_iterations = options.max_iterations;
  fitting.evaluation.max_images = options.max_val_images;
  TrainBatchOptions batches = batches_of(recipe, network->color_order);
  batches.seed = training.progress.seed;
  TrainReport report(folder, recipe, per_epoch, training.progress.iteration, options.max_iterations, classes);
  const auto& [epoch, iteration, seed, loss_scale] = training.progress;
  const bool ended_an_epoch = iteration > 0 && iteration == epoch * per_epoch;
  fitting.score_first = ended_an_epoch && fitting.evaluates(epoch) && !report.has_score();
  const StopSignals signals;
  const FitResult result =
      fit(training, data, batches, &test, fitting, signals.stop(), report.observer(signals.stop()));
  report.end(result);
  return result.interrupted ? signals.exit_code() : 0;
}

int run(const TrainOptions& options) {
  if (!options.print_recipe.empty()) return print_recipe(options.print_recipe[0], options.print_recipe[1]);
  std::signal(SIGXFSZ, SIG_IGN);  // a file that may not grow is an error like a full disk
  const Recipe recipe = options.recipe();
  BackendOptions backend = options.backend;
  backend.threads = recipe.machine.threads;
  return backend.run(
      [&]<class Inner>(const typename Inner::Device& device) {
        return train<Inner>(options, recipe, device);
      },
      {.trains = true, .deterministic = options.deterministic});
}

}  // namespace
}  // namespace dformer::programs

int main(int argc, char** argv) {
  CLI::App app("Trains a network by a recipe, keeps the best checkpoints, and goes on where it was stopped.",
               "dformer_train");
  dformer::programs::TrainOptions options;
  options.add_to(app);
  return dformer::programs::run_program(app, argc, argv, [&] { return dformer::programs::run(options); });
}
