// Labels pairs of colour and depth images: a label map, pictures of it, and a summary of how long it took.
#include <array>
#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <random>
#include <string>
#include <system_error>
#include <vector>

#include <CLI/CLI.hpp>

#include "common/json.hpp"
#include "common/machine.hpp"
#include "common/program.hpp"
#include "common/progress_bar.hpp"
#include "dformer_infer_options.hpp"
#include <dformer/data/image_list.hpp>
#include <dformer/eval/draw_bases.hpp>
#include <dformer/eval/probabilities.hpp>
#include <dformer/eval/segment.hpp>
#include <dformer/eval/timing.hpp>
#include <dformer/eval/write_probabilities.hpp>
#include <dformer/models/zoo.hpp>
#include <dformer/viz/confidence.hpp>
#include <dformer/viz/label_image.hpp>
#include <dformer/viz/legend.hpp>
#include <dformer/viz/overlay.hpp>

namespace dformer::programs {
namespace {

namespace fs = std::filesystem;

constexpr std::array phases{"read", "pre", "net", "post", "write"};

/// Throws: Error.
void make_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) throw Error("[" + folder.string() + "] the output folder cannot be made: " + error.message());
}

/// Writes the chosen outputs of one pair and returns their paths below the output folder.
Json write_outputs(const InferOptions& options, const std::string& stem, const RgbdImage& image,
                   const Prediction& prediction, const ClassList& classes) {
  Json written;
  const auto place = [&](const std::string& kind, const char* extension) {
    const fs::path relative = fs::path(kind) / (stem + extension);
    written[kind] = relative.string();
    make_folder(options.out / kind);
    return options.out / relative;
  };
  for (const std::string& kind : options.write) {
    if (kind == "labels") {
      write_labels(place(kind, ".png"), prediction.labels,
                   options.labels_from_one ? LabelNumbering::from_one : LabelNumbering::from_zero);
    } else if (kind == "color") {
      write_picture(place(kind, ".png"), label_image(prediction.labels));
    } else if (kind == "overlay") {
      write_picture(place(kind, ".png"), overlay(image.color, prediction.labels, classes));
    } else if (kind == "confidence") {
      write_picture(place(kind, ".png"), confidence_image(prediction.confidence));
    } else {
      write_probabilities(place(kind, ".npy"), prediction);
    }
  }
  return written;
}

/// Reads, labels and writes one pair. Throws: Error; then no file of this pair is half-written.
template <class B>
Json process(const InferOptions& options, AnySegmenter<B>& network, const typename B::Device& device,
             const ImagePair& pair, const ClassList& classes) {
  Json times;
  Stopwatch watch;
  const RgbdImage image = read_rgbd(pair.color, pair.depth, options.depth_options(network.depth_input));
  times["read"] = watch.lap();
  if (options.random_bases) draw_bases(network, std::random_device{}());
  const auto input = upload(network, image, device);
  wait_for(device);
  times["pre"] = watch.lap();
  const auto scores = network(input.rgb, input.depth);
  wait_for(device);
  times["net"] = watch.lap();
  Prediction prediction;
  if (options.needs_probabilities()) {
    prediction = predict_from_scores<B>(scores, image.height(), image.width());
  } else {
    prediction.labels = best_labels<B>(scores, image.height(), image.width());
  }
  times["post"] = watch.lap();
  Json written = write_outputs(options, pair.stem(), image, prediction, classes);
  times["write"] = watch.lap();

  Json present = Json::array();
  for (const LegendEntry& entry : legend_entries(prediction.labels, classes))
    present.push_back({{"index", entry.index}, {"name", entry.name}, {"share", entry.share}});
  return {{"name", pair.stem()},    {"rgb", pair.color.string()}, {"depth", pair.depth.string()},
          {"width", image.width()}, {"height", image.height()},   {"warnings", image.warnings},
          {"classes", present},     {"outputs", written},         {"times_ms", times}};
}

/// Prints the warnings of the first pair that has any; the others are in the summary.
class WarningPrinter {
 public:
  void print(const Json& image, const ProgressBar& bar) {
    if (image.at("warnings").empty() || images_++ > 0) return;
    bar.clear();
    for (const Json& warning : image.at("warnings"))
      std::cerr << "warning: " << warning.get<std::string>() << '\n';
  }
  void print_count(std::size_t pairs) const {
    if (images_ > 1)
      std::cerr << "warning: depth of " << images_ << " of " << pairs
                << " pairs looks wrong; summary.json has every warning\n";
  }

 private:
  std::size_t images_ = 0;
};

void print_one(const Json& image) {
  for (const char* phase : phases)
    std::printf("%s %.1f ms%s", phase, image["times_ms"][phase].get<double>(),
                phase == phases.back() ? "\n" : ", ");
  for (const Json& entry : image["classes"]) {
    std::printf("  %-16s %s\n", entry["name"].get<std::string>().c_str(),
                share_text(entry["share"].get<double>()).c_str());
  }
}

/// The times of all pairs that succeeded, by phase.
Json summarize_phases(const Json& images) {
  Json summary;
  for (const char* phase : phases) {
    std::vector<double> times;
    for (const Json& image : images)
      if (image.contains("times_ms")) times.push_back(image["times_ms"][phase].get<double>());
    if (!times.empty()) summary[phase] = to_json(summarize_times(times));
  }
  return summary;
}

void print_phases(const Json& summary) {
  std::printf("%-6s %10s %10s %10s %10s\n", "ms", "mean", "p50", "p90", "p99");
  for (const auto& [phase, times] : summary.items()) {
    std::printf("%-6s %10.1f %10.1f %10.1f %10.1f\n", phase.c_str(), times["mean"].get<double>(),
                times["p50"].get<double>(), times["p90"].get<double>(), times["p99"].get<double>());
  }
}

template <class B>
int infer(const InferOptions& options, const typename B::Device& device) {
  const ImageList list = pair_images(options.rgb, options.depth);
  const ClassList classes = options.class_list();
  const auto network = options.network.make<B>(classes.size());
  options.weights.apply(*network, device);
  options.weights.warn_of_random_weights();
  make_folder(options.out);

  const Json machine = describe_machine<B>(device);
  std::printf("%s, %d classes; %s\n", network->name.c_str(), network->num_classes,
              machine_text(machine).c_str());
  if (list.unused_depth > 0)
    std::fprintf(stderr, "note: %zu depth images have no colour image\n", list.unused_depth);

  Json images = Json::array();
  std::vector<std::string> failures;
  WarningPrinter warnings;
  {
    const ProgressBar bar(list.pairs.size());
    Stopwatch watch;
    double elapsed = 0;
    for (const ImagePair& pair : list.pairs) {
      try {
        images.push_back(process(options, *network, device, pair, classes));
        warnings.print(images.back(), bar);
      } catch (const Error& error) {
        failures.push_back(error.what());
        images.push_back({{"name", pair.stem()}, {"error", error.what()}});
        if (options.fail_fast) break;
      }
      bar.update(images.size(), elapsed += watch.lap(), pair.stem());
    }
  }

  const Json times = summarize_phases(images);
  write_json(options.out / "summary.json", {{"model", options.network.model},
                                            {"like", options.network.followed_name(classes.size())},
                                            {"num_classes", network->num_classes},
                                            {"classes", options.classes},
                                            {"weights", options.weights.to_json()},
                                            {"random_bases", options.random_bases},
                                            {"depth_encoding", options.depth_encoding},
                                            {"holes", options.holes},
                                            {"machine", machine},
                                            {"pairs", list.pairs.size()},
                                            {"failed", failures.size()},
                                            {"times_ms", times},
                                            {"images", images}});
  warnings.print_count(list.pairs.size());
  if (list.pairs.size() == 1 && failures.empty()) print_one(images[0]);
  if (list.pairs.size() > 1 && !times.empty()) print_phases(times);
  std::printf("%zu of %zu pairs labelled, in %s\n", images.size() - failures.size(), list.pairs.size(),
              options.out.c_str());
  for (const std::string& failure : failures) std::cerr << "dformer_infer: " << failure << '\n';
  return failures.empty() ? 0 : 1;
}

}  // namespace
}  // namespace dformer::programs

int main(int argc, char** argv) {
  CLI::App app("Labels pairs of colour and depth images.", "dformer_infer");
  dformer::programs::InferOptions options;
  options.add_to(app);
  return dformer::programs::run_program(app, argc, argv, [&] {
    return options.backend.run([&]<class B>(const typename B::Device& device) {
      return dformer::programs::infer<B>(options, device);
    });
  });
}
