// Compares a network with recorded runs of a reference implementation: fills the parameters by name, runs,
// and prints how far every recorded tensor is met and where the two first diverge. See docs/parity.md.

#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "common/backend.hpp"
#include "common/program.hpp"
#include "dformer_parity_layers.hpp"
#include "dformer_parity_networks.hpp"
#include <dformer/io/parity.hpp>

namespace {

void print(const dformer::ParityReport& report) {
  std::printf("  %-44s %9s %11s %11s %11s\n", "tensor", "values", "max abs", "max rel", "tolerance");
  for (const dformer::ParityEntry& entry : report.entries) {
    std::printf("  %-44s %9zu %11.3e %11.3e %11.3e%s\n", entry.name.c_str(), entry.compared, entry.max_abs,
                entry.max_rel, entry.tolerance, entry.passed() ? "" : "  DIVERGES");
  }
  for (const std::string& name : report.not_observable) {
    std::printf("  %-44s exists only inside a fused operation here; not compared\n", name.c_str());
  }
  if (const dformer::ParityEntry* first = report.first_divergence()) {
    std::printf("  first divergence: %s\n", first->name.c_str());
  }
}

template <class B>
bool check(const std::string& path, const typename B::Device& device, bool quiet) {
  const dformer::ParityFixture fixture(path);
  const auto network = dformer::programs::make_observed<B>(fixture);
  dformer::ParityReport report = dformer::check_parity(*network, fixture, device);
  constexpr double bound = dformer::logits_bound<typename B::Tensor::value_type>;
  if (bound > 0) report.judge_logits_alone(bound);
  std::printf("%s  %s %s %s\n", report.passed() ? "PASS" : "FAIL", path.c_str(), fixture.model.c_str(),
              to_string(fixture.input_shape).c_str());
  if (!quiet || !report.passed()) print(report);
  return report.passed();
}

/// The number of fixtures that are not met, or cannot be read.
template <class B>
int check_all(const std::vector<std::string>& fixtures, const typename B::Device& device, bool quiet) {
  int failed = 0;
  for (const std::string& path : fixtures) {
    try {
      if (!check<B>(path, device, quiet)) ++failed;
    } catch (const std::exception& error) {
      std::fprintf(stderr, "error: %s\n", error.what());
      ++failed;
    }
  }
  std::printf("%zu fixtures, %d failed\n", fixtures.size(), failed);
  return failed;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app(
      "Compares networks with recorded runs of the official code, tensor by tensor, and with what the "
      "modules of "
      "another implementation gave.",
      "dformer_parity");
  std::vector<std::string> fixtures;
  dformer::programs::BackendOptions backend;
  dformer::programs::LayerOptions layers;
  bool quiet = false;
  CLI::Option* files = app.add_option("fixtures", fixtures, "fixture files (.safetensors)");
  backend.add_to(app);
  app.add_flag("--quiet", quiet, "print tables only for fixtures that fail");
  layers.add_to(app, *files);
  return dformer::programs::run_program(app, argc, argv, [&] {
    if (fixtures.empty() && !layers.given())
      throw dformer::programs::UsageError("fixture files expected, or --model with --dump or --compare");
    return backend.run([&]<class B>(const typename B::Device& device) {
      const bool met = layers.given() ? dformer::programs::run_layers<B>(layers, device)
                                      : check_all<B>(fixtures, device, quiet) == 0;
      return met ? 0 : 1;
    });
  });
}
