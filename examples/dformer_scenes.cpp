// Makes a data set of indoor scenes: colour, depth and labels in the official layout, any size and count, by
// seed.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include <CLI/CLI.hpp>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

#include "common/program.hpp"
#include "common/progress_bar.hpp"
#include "common/size_option.hpp"
#include <dformer/data/encode_depth.hpp>
#include <dformer/data/hole_policy.hpp>
#include <dformer/data/scene/write_dataset.hpp>
#include <dformer/data/write_image.hpp>
#include <dformer/eval/timing.hpp>
#include <dformer/viz/label_image.hpp>
#include <dformer/viz/legend.hpp>

namespace dformer::programs {
namespace {

struct ScenesOptions {
  std::string out;
  std::string sheet;
  ImageSize size{480, 640};
  std::string depth_format = "greys";
  std::string holes = "near";
  std::vector<std::string> classes{std::begin(scene::default_scene_classes),
                                   std::end(scene::default_scene_classes)};
  scene::DatasetOptions dataset;

  void add_to(CLI::App& app) {
    dataset.threads = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
    app.add_option("--out", out, "Folder of the data set; made where it is missing")->required();
    app.add_option("--train", dataset.train, "Images to train with")->capture_default_str();
    app.add_option("--test", dataset.test, "Images to test with")->capture_default_str();
    add_size_option(app, "--size", size, "Of the images");
    app.add_option("--seed", dataset.seed, "Other scenes for another number")->capture_default_str();
    app.add_option("--depth-format", depth_format, "greys: the official picture; mm: 16-bit millimetres")
        ->capture_default_str()
        ->check(CLI::IsMember({"greys", "mm"}));
    app.add_option("--holes", holes, "With greys, pixels without depth: " + std::string(hole_policy_names))
        ->capture_default_str()
        ->check(parsed_by(parse_hole_policy));
    app.add_option("--classes", classes, "Names of classes, separated by commas, or all")->delimiter(',');
    app.add_option("--threads", dataset.threads, "Images made at a time")->capture_default_str();
    app.add_option("--sheet", sheet, "Also draw the first test images, side by side, to this file");
  }

  /// Throws: ArgumentError.
  void apply() {
    dataset.view.width = size.width;
    dataset.view.height = size.height;
    dataset.depth = depth_format == "mm" ? scene::DepthFiles::mm : scene::DepthFiles::greys;
    dataset.holes = parse_hole_policy(holes);
    dataset.classes = classes == std::vector<std::string>{"all"}
                          ? scene::make_class_set(scene::all_scene_classes)
                          : scene::make_class_set(classes);
  }
};

/// Colour, depth and labels of the first test images, two in a row.
cv::Mat contact_sheet(const scene::DatasetOptions& options) {
  constexpr int cell_width = 200;
  constexpr int gap = 4;
  constexpr int columns = 2;
  constexpr int rows = 5;
  const cv::Size cell(cell_width, cell_width * options.view.height / options.view.width);
  cv::Mat sheet(rows * (cell.height + gap) + gap, columns * 3 * (cell.width + gap) + gap, CV_8UC3,
                cv::Scalar(252, 252, 252));
  for (int i = 0; i < rows * columns; ++i) {
    const scene::LabeledView view = make_view(scene::Split::test, i, options);
    cv::Mat depth;
    cv::cvtColor(encode_depth<MillimetreDepth>(view.depth, options.holes).grey, depth, cv::COLOR_GRAY2BGR);
    const std::array<cv::Mat, 3> pictures{view.color, depth, label_image(view.labels)};
    for (int part = 0; part < 3; ++part) {
      const cv::Point corner(gap + (i % columns * 3 + part) * (cell.width + gap),
                             gap + i / columns * (cell.height + gap));
      cv::resize(pictures[static_cast<std::size_t>(part)], sheet(cv::Rect(corner, cell)), cell, 0, 0,
                 part == 2 ? cv::INTER_NEAREST : cv::INTER_AREA);
    }
  }
  return sheet;
}

void print_shares(const LabelCounts& counts) {
  for (std::size_t i = 0; i < nyu_depth_v2_classes.size(); ++i) {
    if (counts.pixels[i] == 0) continue;
    std::printf("  %2zu %-16s %s\n", i, std::string(nyu_depth_v2_classes[i]).c_str(),
                share_text(counts.share(i)).c_str());
  }
  std::printf("     %-16s %s\n", "ignored", share_text(counts.share(scene::ignored)).c_str());
}

int make_scenes(ScenesOptions& options) {
  options.apply();
  const scene::DatasetOptions& dataset = options.dataset;
  LabelCounts counts;
  Stopwatch watch;
  double elapsed = 0;
  {
    const ProgressBar bar(static_cast<std::size_t>(std::max(0, dataset.train + dataset.test)));
    counts = write_dataset(options.out, dataset, [&](int done, int) {
      bar.update(static_cast<std::size_t>(done), elapsed += watch.lap(), options.out);
    });
  }
  print_shares(counts);
  const int images = dataset.train + dataset.test;
  std::printf("%d training and %d test images of %s in %s: %.1f s, %.0f a minute\n", dataset.train,
              dataset.test, to_string(options.size).c_str(), options.out.c_str(), elapsed / 1000,
              images * 60000.0 / elapsed);
  if (!options.sheet.empty()) write_picture(options.sheet, contact_sheet(dataset));
  return 0;
}

}  // namespace
}  // namespace dformer::programs

int main(int argc, char** argv) {
  CLI::App app("Makes a data set of indoor scenes: colour, depth and labels in the official layout.",
               "dformer_scenes");
  dformer::programs::ScenesOptions options;
  options.add_to(app);
  return dformer::programs::run_program(app, argc, argv,
                                        [&] { return dformer::programs::make_scenes(options); });
}
