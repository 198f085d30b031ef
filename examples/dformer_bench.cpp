// What the networks cost on this machine: parameters, multiply-adds, latency by phase, memory.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <map>
#include <random>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

#include <CLI/CLI.hpp>

#include "common/backend.hpp"
#include "common/child_process.hpp"
#include "common/json.hpp"
#include "common/machine.hpp"
#include "common/program.hpp"
#include "common/size_option.hpp"
#include "dformer_bench_gpu.hpp"
#include "dformer_bench_table.hpp"
#include <dformer/backend/count/count.hpp>
#include <dformer/data/normalization.hpp>
#include <dformer/eval/network_input.hpp>
#include <dformer/eval/timing.hpp>
#include <dformer/models/cost.hpp>
#include <dformer/models/zoo.hpp>

namespace dformer::programs {
namespace {

struct BenchOptions {
  std::vector<std::string> models{"all"};
  int num_classes = 40;
  ImageSize size{480, 640};
  int batch = 1;
  BackendOptions backend;
  std::string isa = "avx512";
  int warmup = 3;
  int runs = 20;
  std::filesystem::path json;

  void add_to(CLI::App& app) {
    std::vector<std::string> names(model_names.begin(), model_names.end());
    names.push_back("all");
    app.add_option("--model", models, "the networks, separated by commas, or all")
        ->delimiter(',')
        ->check(CLI::IsMember(names))
        ->capture_default_str();
    app.add_option("--classes", num_classes,
                   "2 to 255; with 37 the networks are those of SUNRGBD, otherwise of NYUDepthv2")
        ->check(CLI::Range(2, 255))
        ->capture_default_str();
    add_size_option(app, "--size", size, "of the images, in pixels");
    app.add_option("--batch", batch, "images a run")->check(above_zero())->capture_default_str();
    backend.add_to(app);
    app.add_option("--isa", isa, "the best instruction set to use, of those that the processor has")
        ->check(CLI::IsMember({"baseline", "avx2", "avx512"}))
        ->capture_default_str();
    app.add_option("--warmup", warmup, "runs before those that are measured; the first is the cold start")
        ->check(above_zero())
        ->capture_default_str();
    app.add_option("--runs", runs, "runs that are measured")->check(above_zero())->capture_default_str();
    app.add_option("--json", json, "also write the results to this file");
  }
  cpu::Isa best_isa() const {
    for (cpu::Isa set : {cpu::Isa::baseline, cpu::Isa::avx2})
      if (isa == cpu::to_string(set)) return set;
    return cpu::Isa::avx512;
  }
  std::vector<std::string> chosen_models() const {
    if (std::find(models.begin(), models.end(), "all") == models.end()) return models;
    return {model_names.begin(), model_names.end()};
  }
};

/// A batch of pictures with something in every byte; how long a network takes does not depend on what.
class Pictures {
 public:
  explicit Pictures(const BenchOptions& options)
      : shape_{options.batch, options.size.height, options.size.width, 1},
        color_(static_cast<std::size_t>(3 * shape_.numel())),
        depth_(static_cast<std::size_t>(shape_.numel())) {
    std::mt19937 random(1);
    for (auto* bytes : {&color_, &depth_})
      for (std::uint8_t& byte : *bytes) byte = static_cast<std::uint8_t>(random());
  }

  std::size_t pixels() const { return depth_.size(); }

  /// What comes before a network: normalising, and the way to the device.
  template <class B>
  NetworkInput<typename B::Tensor> upload(ColorOrder order, const typename B::Device& device) const {
    std::vector<float> color(color_.size()), depth(depth_.size());
    normalize_color(color_, order, color);
    normalize_depth(depth_, depth);
    return {B::from_host(device, {shape_[0], shape_[1], shape_[2], 3}, color),
            B::from_host(device, shape_, depth)};
  }

 private:
  Shape shape_;
  std::vector<std::uint8_t> color_, depth_;
};

Json count_operations(const BenchOptions& options, const std::string& model) {
  const Cost cost = cost_of(*make_segmenter<Count>(model, options.num_classes), options.size.height,
                            options.size.width, options.batch);
  const MultiplyAdds& count = cost.multiply_adds;
  return {{"parameters", cost.parameters},
          {"elements_moved", cost.elements_moved},
          {"multiply_adds",
           {{"papers", count.dense},
            {"full", count.total()},
            {"dense", count.dense},
            {"attention", count.attention},
            {"factorization", count.factorization}}}};
}

/// What `body` takes, by the host's clock or the GPU's.
template <class Body>
double milliseconds_of(const cpu::Device&, const Body& body) {
  Stopwatch watch;
  body();
  return watch.lap();
}
#if defined(DFORMER_HAS_CUDA)
template <class Body>
double milliseconds_of(const cuda::Device& device, const Body& body) {
  return cuda::device_milliseconds(device, body);
}
#endif

/// Runs one network and returns what it took.
template <class B>
Json measure(const BenchOptions& options, const std::string& model, const typename B::Device& device) {
  Json result{{"model", model}, {"num_classes", options.num_classes}};
  result.update(count_operations(options, model));
  const Pictures pictures(options);

  Stopwatch watch;
  const auto network = make_segmenter<B>(model, options.num_classes);
  initialize(*network, 1, device);
  wait_for(device);
  const double setup = watch.lap();
  const std::size_t weight_bytes = device.memory().use().in_use;

  std::map<std::string, std::vector<double>> times;
  double cold = 0;
  std::vector<std::uint8_t> labels(pictures.pixels());
  for (int run = 0; run < options.warmup + options.runs; ++run) {
    watch.lap();
    const auto input = pictures.upload<B>(network->color_order, device);
    wait_for(device);
    const double pre = watch.lap();
    typename B::Tensor scores;
    const double net = milliseconds_of(device, [&] { scores = (*network)(input.rgb, input.depth); });
    watch.lap();
    B::labels_to_host(B::resize_argmax(scores, options.size.height, options.size.width), labels);
    const double post = watch.lap();
    if (run == 0) cold = pre + net + post;
    if (run < options.warmup) continue;
    times["pre"].push_back(pre);
    times["net"].push_back(net);
    times["post"].push_back(post);
    times["total"].push_back(pre + net + post);
  }
  result["latency_ms"] = {{"setup", setup}, {"cold", cold}};
  for (const char* phase : {"total", "pre", "net", "post"})
    result["latency_ms"][phase] = to_json(summarize_times(times[phase]));
  result["memory_bytes"] = {{"weights", weight_bytes},
                            {"pool_peak", device.memory().use().peak},
                            {"process_peak", peak_process_bytes()}};
  result["machine"] = describe_machine<B>(device);
#if defined(DFORMER_HAS_CUDA)
  if constexpr (std::is_same_v<typename B::Device, cuda::Device>) {
    add_gpu_figures<B>(result, *network, pictures.upload<B>(network->color_order, device),
                       {options.warmup, options.runs});
  }
#endif
  return result;
}

Json measure(const BenchOptions& options, const std::string& model) {
  return options.backend.run(
      [&]<class B>(const typename B::Device& device) { return measure<B>(options, model, device); },
      {.cpu = {.isa = options.best_isa()}});
}

/// A network that fails, as one does that takes not every size, costs the others nothing but the exit code.
int bench(const BenchOptions& options) {
  Json results = Json::array();
  int exit_code = 0;
  for (const std::string& model : options.chosen_models()) {
    try {
      // Each in a process of its own: every cold start is one, and no peak of memory is another network's.
      results.push_back(Json::parse(run_in_child([&] { return measure(options, model).dump(); })));
    } catch (const std::runtime_error& error) {
      if (options.chosen_models().size() == 1) throw;
      std::fprintf(stderr, "dformer_bench: %s is left out: %s\n", model.c_str(), error.what());
      exit_code = 1;
      continue;
    }
    if (results.size() == 1) {
      std::printf("%s\n", machine_text(results[0].at("machine")).c_str());
      std::printf(
          "input %d x %d x %d (batch, height, width), %d classes; %d runs to warm up, %d measured\n\n",
          options.batch, options.size.height, options.size.width, options.num_classes, options.warmup,
          options.runs);
      print_table_head(options.backend.on_gpu());
    }
    print_table_row(results.back());
  }
  if (results.empty()) throw Error("[dformer_bench] none of the networks could be measured");
  print_table_foot(results[0]);
  if (options.json.empty()) return exit_code;
  const Json machine = results[0].at("machine");
  for (Json& result : results) result.erase("machine");
  write_json(
      options.json,
      {{"machine", machine},
       {"input", {{"batch", options.batch}, {"height", options.size.height}, {"width", options.size.width}}},
       {"warmup", options.warmup},
       {"runs", options.runs},
       {"models", results}});
  return exit_code;
}

}  // namespace
}  // namespace dformer::programs

int main(int argc, char** argv) {
  CLI::App app("Measures what the networks cost on this machine.", "dformer_bench");
  dformer::programs::BenchOptions options;
  options.add_to(app);
  return dformer::programs::run_program(app, argc, argv, [&] { return dformer::programs::bench(options); });
}
