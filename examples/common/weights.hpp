#pragma once

#include <cstdint>
#include <iostream>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "json.hpp"
#include <dformer/io/load.hpp>
#include <dformer/nn/initialize.hpp>

namespace dformer::programs {

/// Predictions by such weights look like any others. Throws: Error where some are not finite.
inline void require_finite(const LoadReport& report) {
  if (report.not_finite.empty()) return;
  throw Error("[" + report.path + "] " + std::to_string(report.not_finite.size()) +
              " tensors hold NaN or infinity, the first is " + report.not_finite.front() +
              ": the training that wrote it diverged. dformer_doctor --checkpoint lists them");
}

/// Where a network's weights come from: a checkpoint, or a seed.
struct WeightOptions {
  std::string checkpoint;
  std::optional<std::uint64_t> seed;
  std::vector<std::string> skip_mismatched;
  bool non_strict = false;

  void add_to(CLI::App& app) {
    CLI::Option_group* source = app.add_option_group("Weights", "where the weights come from");
    CLI::Option* file =
        source->add_option("--checkpoint", checkpoint,
                           "a checkpoint: the official .pth, .safetensors, Jittor's .pkl, NumPy's .npz");
    source->add_option("--init", seed,
                       "no checkpoint: random weights decided by this seed (a trial of "
                       "everything but the predictions)");
    source->require_option(1);
    app.add_option("--skip-mismatched", skip_mismatched,
                   "starts of names whose shape may differ, separated by commas; they keep random values "
                   "(decode_head.conv_seg for another number of classes; AsymFormer: Decoder.linear_pred)")
        ->delimiter(',')
        ->needs(file);
    app.add_flag("--non-strict", non_strict,
                 "accept a checkpoint that lacks weights, which stay random, or has others")
        ->needs(file);
  }

  template <class Network>
  void apply(Network& network, const typename Network::Backend::Device& device) const {
    if (seed) {
      initialize(network, *seed, device);
      return;
    }
    const bool partial = non_strict || !skip_mismatched.empty();
    if (partial) initialize(network, 0, device);  // for what the checkpoint leaves out
    try {
      const LoadReport report =
          load(network, checkpoint, {.strict = !non_strict, .skip_mismatched = skip_mismatched}, device);
      if (partial) std::cerr << to_string(report) << '\n';
      require_finite(report);
    } catch (const LoadError& error) {
      throw Error(std::string(error.what()) +
                  "\n  On this command line: --model for another network, --classes for another number of "
                  "classes, --like for the other data set's head, --skip-mismatched decode_head.conv_seg or "
                  "--non-strict to take what fits.");
    }
  }

  /// Says on stderr that predictions mean nothing, where that is so.
  void warn_of_random_weights() const {
    if (!seed) return;
    std::cerr << "\n*** NO CHECKPOINT: random weights (--init " << *seed
              << "). The predictions mean nothing. ***\n"
                 "*** Pass --checkpoint FILE for a trained network.                        ***\n\n";
  }

  Json to_json() const {
    if (seed) return {{"random_weights_of_seed", *seed}};
    return {{"checkpoint", checkpoint}, {"strict", !non_strict}, {"skip_mismatched", skip_mismatched}};
  }
};

}  // namespace dformer::programs
