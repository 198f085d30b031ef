#pragma once

#include <algorithm>
#include <filesystem>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include <CLI/CLI.hpp>

#include "common/program.hpp"
#include <dformer/data/dataset_checkup.hpp>

namespace dformer::programs {

struct DoctorOptions {
  std::filesystem::path data;
  std::string dataset;
  std::vector<std::string> lists{"train.txt", "test.txt"};
  std::string classes;
  std::string depth_encoding;
  std::string holes;
  bool labels_from_zero = false;
  bool all = false;
  std::filesystem::path checkpoint;
  std::filesystem::path recipe;
  std::filesystem::path out;
  std::filesystem::path json;
  int threads = 0;
  bool strict = false;
  bool list_findings = false;

  void add_to(CLI::App& app) {
    add_data_to(app);
    app.add_option("--checkpoint", checkpoint,
                   "a checkpoint; with a recipe the one to start from, as --pretrained or --load-from");
    app.add_option("--out", out, "a folder to write to, whose disk is looked at");
    app.add_option("--json", json, "also write everything to this file");
    app.add_option("--threads", threads, "threads that decode; 0 for all processors")
        ->check(CLI::NonNegativeNumber)
        ->capture_default_str();
    app.add_flag("--strict", strict, "warnings count as errors in the exit code");
    app.add_flag("--list-findings", list_findings, "print all that can be found, as a table, and end");
  }

  int decoding_threads() const {
    return threads > 0 ? threads : std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  }

  /// The layout that was named, or the one whose folders there are.
  DatasetLayout layout() const {
    DatasetLayout result = named_layout();
    if (!depth_encoding.empty()) result.depth.encoding = parse_depth_encoding(depth_encoding);
    if (!holes.empty()) result.depth.holes = parse_hole_policy(holes);
    if (labels_from_zero) result.numbering = LabelNumbering::from_zero;
    return result;
  }

  /// Those that were named; otherwise those of classes.txt beside the lists, or of the layout. Throws:
  /// ArgumentError for a file of names that cannot be read.
  ClassList class_list() const {
    const std::filesystem::path beside = data / "classes.txt";
    std::error_code ignored;
    if (!classes.empty()) return classes_named(classes);
    if (std::filesystem::exists(beside, ignored)) return read_classes(beside);
    if (dataset == "custom") return {};
    const bool sunrgbd = named_layout().name == sunrgbd_layout().name;
    return sunrgbd ? ClassList(sunrgbd_classes) : ClassList(nyu_depth_v2_classes);
  }

 private:
  DatasetLayout named_layout() const {
    DatasetLayout custom = nyu_depth_v2_layout();
    custom.name = "custom";
    if (dataset == "custom") return custom;
    for (const auto& [word, make] : known_layouts) {
      if (dataset == word || (dataset.empty() && has_folders(data, make()))) return make();
    }
    return nyu_depth_v2_layout();
  }

  void add_data_to(CLI::App& app) {
    CLI::Option* folder = app.add_option("--data", data, "the folder of a data set");
    CLI::Option* file =
        app.add_option("--recipe", recipe, "a recipe of dformer_train; also says what its data set is like");
    app.add_flag("--all", all, "decode every image, not 500 of each list");
    const auto of_data = [&](CLI::Option* option) { option->needs(folder)->excludes(file); };
    of_data(app.add_option("--dataset", dataset,
                           "its layout; where left out the one whose folders there are; custom is "
                           "nyudepthv2's, with other classes")
                ->check(CLI::IsMember({"nyudepthv2", "sunrgbd", "asymformer", "custom"})));
    of_data(app.add_option("--list", lists, "its lists of images; train.txt and test.txt where left out"));
    of_data(app.add_option("--classes", classes,
                           "nyu40, sunrgbd37, or a text file with one name a line; where left out "
                           "classes.txt in its folder, or as the layout has it"));
    of_data(
        app.add_flag("--labels-from-zero", labels_from_zero,
                     "labels are numbered from 0 and 255 is ignored; officially from 1 and 0 is ignored"));
    of_data(app.add_option("--depth-encoding", depth_encoding,
                           "how depth is stored: " + std::string(depth_encoding_names) +
                               "; as the layout has it where left out")
                ->check(CLI::Validator(parsed_by(parse_depth_encoding), "WORD")));
    of_data(app.add_option("--holes", holes,
                           "what becomes of pixels without a depth: " + std::string(hole_policy_names))
                ->check(CLI::Validator(parsed_by(parse_hole_policy), "WORD")));
  }
};

}  // namespace dformer::programs
