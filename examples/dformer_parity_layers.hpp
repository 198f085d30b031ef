#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include "common/network.hpp"
#include "common/size_option.hpp"
#include "common/weights.hpp"
#include "dformer_parity_networks.hpp"
#include <dformer/io/activations.hpp>
#include <dformer/io/layer_comparison.hpp>
#include <dformer/io/parity_comparison.hpp>
#include <dformer/io/recorded_inputs.hpp>
#include <dformer/io/safetensors_writer.hpp>

/// dformer_parity --dump and --compare: what every module of a network gives, beside another framework's.
namespace dformer::programs {

struct LayerOptions {
  NetworkOptions network;
  WeightOptions weights;
  std::filesystem::path dump;
  std::filesystem::path compare;
  std::filesystem::path inputs;
  ImageSize size{64, 96};
  int classes = NYUDepthv2::num_classes;
  std::optional<double> tolerance;

  void add_to(CLI::App& app, CLI::Option& fixtures) {
    network.add_to(app);
    CLI::Option* model = app.get_option("--model")->required(false)->excludes(&fixtures);
    weights.add_to(app);
    app.get_option_group("Weights")->require_option(0, 1);
    CLI::Option* to =
        app.add_option("--dump", dump, "writes what every module gives to this file, NAME.safetensors")
            ->check(CLI::Validator(
                [](const std::string& name) {
                  return name.ends_with(".safetensors") ? "" : "a name that ends with .safetensors expected";
                },
                "NAME.safetensors"));
    CLI::Option* with = app.add_option(
        "--compare", compare, "compares that with the arrays of this file: safetensors, or numpy.savez");
    for (CLI::Option* option : {to, with}) option->needs(model)->excludes(&fixtures);
    app.add_option(
        "--inputs", inputs,
        "a file with the arrays input.rgb and input.depth, normalised as the network takes them; those of "
        "--compare where left out, and where that has none, numbers drawn by name");
    add_size_option(app, "--size", size, "of drawn inputs", 4096);
    app.add_option("--classes", classes, "the number of classes")
        ->check(CLI::Range(2, 255))
        ->capture_default_str();
    app.add_option("--tolerance", tolerance,
                   "of a difference, relative to the largest value of the layer; 1e-4 in float32, 0.015 in "
                   "float16, 0.12 in bfloat16 where left out")
        ->check(CLI::NonNegativeNumber);
    for (const char* option : {"--like", "--checkpoint", "--init", "--skip-mismatched", "--non-strict",
                               "--inputs", "--size", "--classes", "--tolerance"})
      app.get_option(option)->needs(model);
  }
  bool given() const { return !dump.empty() || !compare.empty(); }
  template <class Scalar>
  double tolerance_in() const {
    return tolerance.value_or(logits_bound<Scalar> > 0 ? logits_bound<Scalar> : 1e-4);
  }
};

inline void print_layers(const LayerReport& report) {
  std::printf("%-58s %-20s %11s %11s\n", "layer", "shape", "max abs", "max rel");
  for (const LayerDifference& layer : report.layers) {
    std::printf("%-58s %-20s ", layer.name.c_str(), to_string(layer.shape).c_str());
    if (layer.same_shape) {
      std::printf("%11.3e %11.3e%s\n", layer.max_abs, layer.max_rel, layer.agrees() ? "" : "  DIVERGES");
    } else {
      std::printf("recorded as %s  DIVERGES\n", to_string(layer.recorded).c_str());
    }
  }
  for (const auto& [names, where] :
       {std::pair{&report.only_here, "only here"}, std::pair{&report.only_recorded, "only in the file"}}) {
    for (const std::string& name : *names) std::printf("%-58s %s\n", name.c_str(), where);
  }
  const LayerDifference* first = report.first_divergence();
  std::printf("%zu layers compared, %zu only here, %zu only in the file; first divergence: %s\n",
              report.layers.size(), report.only_here.size(), report.only_recorded.size(),
              first == nullptr ? "none" : first->name.c_str());
}

/// Whether every layer that both sides have agrees.
template <class B>
bool run_layers(const LayerOptions& options, const typename B::Device& device) {
  if (!options.weights.seed && options.weights.checkpoint.empty())
    throw UsageError("--checkpoint FILE or --init SEED expected with --model");
  const auto network = make_observed<B>(options.network.model, options.classes,
                                        options.network.followed(static_cast<std::size_t>(options.classes)));
  options.weights.apply(*network, device);

  std::optional<Checkpoint> recorded;
  if (!options.compare.empty()) recorded.emplace(options.compare);
  std::optional<Checkpoint> separate;
  if (!options.inputs.empty()) separate.emplace(options.inputs);
  const Checkpoint* source = separate ? &*separate : recorded ? &*recorded : nullptr;
  const bool has_inputs = source != nullptr && (separate || source->find("input.rgb") != nullptr);
  const RecordedInputs inputs =
      has_inputs ? read_inputs(*source) : draw_inputs(options.size.height, options.size.width);
  if (inputs.bases) set_bases(*network, *inputs.bases, device);

  std::optional<LayerComparison> comparison;
  if (recorded) comparison.emplace(*recorded, options.tolerance_in<typename B::Tensor::value_type>());
  std::vector<NamedTensor> dumped{named(inputs.rgb, "input.rgb"), named(inputs.depth, "input.depth")};
  if (inputs.bases) dumped.push_back(named(*inputs.bases, "input.rand.0"));
  observe_activations(*network, B::from_host(device, inputs.rgb.shape, inputs.rgb.values),
                      B::from_host(device, inputs.depth.shape, inputs.depth.values),
                      [&](const std::string& name, parity::HostTensor tensor) {
                        if (comparison) comparison->compare(name, tensor);
                        if (!options.dump.empty()) dumped.push_back(named(std::move(tensor), name));
                      });
  if (!options.dump.empty()) {
    write_safetensors(
        options.dump, dumped,
        {{"format", "dformer-activations-1"}, {"layout", "channels_last"}, {"model", options.network.model}});
    std::printf("%zu arrays in %s\n", dumped.size(), options.dump.c_str());
  }
  if (!comparison) return true;
  const LayerReport report = comparison->finish();
  print_layers(report);
  return report.first_divergence() == nullptr;
}

}  // namespace dformer::programs
