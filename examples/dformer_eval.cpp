// Scores a network on a data set by the official protocol, and says by which.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <string>
#include <string_view>

#include <CLI/CLI.hpp>

#include "common/machine.hpp"
#include "common/program.hpp"
#include "common/progress_bar.hpp"
#include "common/score_json.hpp"
#include "dformer_eval_audit.hpp"
#include "dformer_eval_options.hpp"
#include <dformer/data/write_image.hpp>
#include <dformer/eval/evaluate.hpp>
#include <dformer/eval/timing.hpp>
#include <dformer/models/zoo.hpp>
#include <dformer/viz/confusion_picture.hpp>

namespace dformer::programs {
namespace {

namespace fs = std::filesystem;

void write_text(const fs::path& file, const std::string& text) {
  write_file_atomically(file, text);
}

/// The counts, a row for each true class.
std::string confusion_csv(const ConfusionMatrix& confusion) {
  std::string text;
  for (int truth = 0; truth < confusion.num_classes(); ++truth) {
    for (int predicted = 0; predicted < confusion.num_classes(); ++predicted) {
      if (predicted > 0) text += ',';
      text += std::to_string(confusion.count(truth, predicted));
    }
    text += '\n';
  }
  return text;
}

template <class B>
int evaluate_network(const EvalOptions& options, const typename B::Device& device) {
  const ClassList classes = options.class_list();
  const Protocol protocol = options.protocol();
  require_valid(protocol);
  const auto network = options.network.make<B>(classes.size());
  DatasetLayout layout = options.layout();
  layout.depth.as = network->depth_input;
  const RgbdDataset dataset(options.data, options.list, layout, static_cast<int>(classes.size()));
  options.weights.apply(*network, device);
  options.weights.warn_of_random_weights();
  fs::create_directories(options.out);

  const Json machine = describe_machine<B>(device);
  std::printf("%s, %d classes; %s\n", network->name.c_str(), network->num_classes,
              machine_text(machine).c_str());
  Stopwatch watch;
  double elapsed = 0;
  const std::size_t count =
      options.max_images == 0 ? dataset.size() : std::min(options.max_images, dataset.size());
  const ProgressBar bar(count);
  const Score score = evaluate(
      *network, dataset, protocol, {.max_images = options.max_images}, [&](const EvaluatedImage& image) {
        if (!options.save_predictions.empty()) {
          const fs::path file = options.save_predictions / (image.sample.name + ".png");
          fs::create_directories(file.parent_path());
          write_labels(file, image.predicted, dataset.layout().numbering);
        }
        bar.update(image.index + 1, elapsed += watch.lap(), image.sample.name);
      });
  bar.clear();

  Json json{{"model", options.network.model},
            {"like", options.network.followed_name(classes.size())},
            {"weights", options.weights.to_json()}};
  json.update(to_json(score, classes));
  json["depth_encoding"] = std::string(to_string(dataset.layout().depth.encoding));
  json["holes"] = options.holes;
  json["machine"] = machine;
  json["seconds"] = elapsed / 1000;
  write_json(options.out / "metrics.json", json);
  write_text(options.out / "metrics.csv", csv(score, classes));
  write_text(options.out / "confusion.csv", confusion_csv(score.confusion));
  write_picture(options.out / "confusion.png",
                confusion_picture(score.confusion.counts(), score.confusion.num_classes(), classes));
  std::printf("\n%s%.0f ms an image; written to %s\n", table(score, classes).c_str(),
              elapsed / static_cast<double>(score.images), options.out.c_str());
  return 0;
}

}  // namespace
}  // namespace dformer::programs

int main(int argc, char** argv) {
  if (argc > 1 && std::string_view(argv[1]) == "--audit") {
    CLI::App app("Whether everything that the official rows need is there and works.",
                 "dformer_eval --audit");
    dformer::programs::AuditOptions options;
    options.add_to(app);
    return dformer::programs::run_program(app, argc - 1, argv + 1,
                                          [&] { return dformer::programs::audit(options); });
  }
  CLI::App app("Scores a network on a data set by the official protocol.", "dformer_eval");
  app.footer(
      "dformer_eval --audit [options]: looks at the official networks instead; see dformer_eval --audit "
      "--help");
  dformer::programs::EvalOptions options;
  options.add_to(app);
  return dformer::programs::run_program(app, argc, argv, [&] {
    return options.backend.run([&]<class B>(const typename B::Device& device) {
      return dformer::programs::evaluate_network<B>(options, device);
    });
  });
}
