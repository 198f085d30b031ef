// Compares a network with recorded runs of a reference implementation: fills the parameters by name, runs,
// and prints how far every recorded tensor is met and where the two first diverge. See docs/parity.md.

#include <cstdio>
#include <exception>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include <dformer/backend/cpu/cpu.hpp>
#include <dformer/backend/observe.hpp>
#include <dformer/heads/mlp_head.hpp>
#include <dformer/io/parity.hpp>
#include <dformer/models/zoo.hpp>

namespace {

using Backend = dformer::Observe<dformer::Cpu<>>;
using Network = dformer::AnySegmenter<Backend>;

template <class Backbone, int embed_dim = 512>
std::unique_ptr<Network> with_mlp_head(const dformer::ParityFixture& fixture) {
  constexpr auto& channels = Backbone::feature_channels;
  using Head = dformer::MlpHead<Backend, channels[0], channels[1], channels[2], channels[3],
                                dformer::any_classes, embed_dim>;
  return std::make_unique<dformer::SegmenterHolder<dformer::Segmenter<Backend, Backbone, Head>>>(
      fixture.model, fixture.num_classes);
}

std::unique_ptr<Network> make_mlp_network(const dformer::ParityFixture& fixture) {
  using namespace dformer;
  const std::string& model = fixture.model;
  if (model == "DFormer_Tiny") return with_mlp_head<DFormer<Backend, dformer_tiny>>(fixture);
  if (model == "DFormer_Small") return with_mlp_head<DFormer<Backend, dformer_small>>(fixture);
  if (model == "DFormer_Base") return with_mlp_head<DFormer<Backend, dformer_base>>(fixture);
  if (model == "DFormer_Large") return with_mlp_head<DFormer<Backend, dformer_large>>(fixture);
  if (model == "DFormerv2_S") return with_mlp_head<DFormerV2<Backend, dformer_v2_small>>(fixture);
  if (model == "DFormerv2_B") return with_mlp_head<DFormerV2<Backend, dformer_v2_base>>(fixture);
  if (model == "DFormerv2_L") return with_mlp_head<DFormerV2<Backend, dformer_v2_large>, 1024>(fixture);
  return nullptr;
}

std::unique_ptr<Network> make_network(const dformer::ParityFixture& fixture) {
  if (fixture.decoder == "ham") return dformer::make_segmenter<Backend>(fixture.model, fixture.num_classes);
  if (fixture.decoder == "MLPDecoder") {
    if (auto network = make_mlp_network(fixture)) return network;
  }
  dformer::throw_argument_error("[dformer_parity] no type here for " + fixture.model + " with decoder " +
                                fixture.decoder +
                                "; there are the seven variants, with 'ham' and with 'MLPDecoder'");
}

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

bool check(const std::string& path, const dformer::cpu::Device& device, bool quiet) {
  const dformer::ParityFixture fixture(path);
  const std::unique_ptr<Network> network = make_network(fixture);
  const dformer::ParityReport report = dformer::check_parity(*network, fixture, device);
  std::printf("%s  %s %s %s\n", report.passed() ? "PASS" : "FAIL", path.c_str(), fixture.model.c_str(),
              to_string(fixture.input_shape).c_str());
  if (!quiet || !report.passed()) print(report);
  return report.passed();
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Compares networks with recorded runs of the official code, tensor by tensor."};
  std::vector<std::string> fixtures;
  dformer::cpu::DeviceOptions options;
  bool quiet = false;
  app.add_option("fixtures", fixtures, "Fixture files (.safetensors)")->required();
  app.add_option("--threads", options.threads, "Threads; 0 takes all processors")
      ->check(CLI::NonNegativeNumber);
  app.add_flag("--quiet", quiet, "Print tables only for fixtures that fail");
  CLI11_PARSE(app, argc, argv);

  const dformer::cpu::Device device(options);
  int failed = 0;
  for (const std::string& path : fixtures) {
    try {
      if (!check(path, device, quiet)) ++failed;
    } catch (const std::exception& error) {
      std::fprintf(stderr, "error: %s\n", error.what());
      ++failed;
    }
  }
  std::printf("%zu fixtures, %d failed\n", fixtures.size(), failed);
  return failed == 0 ? 0 : 1;
}
