#pragma once

#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "common/backend.hpp"
#include "common/network.hpp"
#include "common/program.hpp"
#include "common/weights.hpp"
#include <dformer/data/classes.hpp>
#include <dformer/data/read_images.hpp>
#include <dformer/data/write_image.hpp>

namespace dformer::programs {

/// What can be written for each pair: the folder's name below --out.
inline const std::vector<std::string> output_kinds{"labels", "color", "overlay", "confidence",
                                                   "probabilities"};

struct InferOptions {
  NetworkOptions network;
  WeightOptions weights;
  BackendOptions backend;
  std::filesystem::path rgb;
  std::filesystem::path depth;
  std::filesystem::path out;
  std::string depth_encoding = "greys";
  std::string holes = "keep";
  std::string classes = "nyu40";
  std::vector<std::string> write{"labels", "color", "overlay"};
  bool labels_from_one = false;
  bool random_bases = false;
  bool fail_fast = false;

  void add_to(CLI::App& app) {
    network.add_to(app);
    weights.add_to(app);
    backend.add_to(app);
    app.add_option("--rgb", rgb, "a colour image, or a folder of them")->required();
    app.add_option("--depth", depth, "its depth image, or a folder; pairs have one name up to the extension")
        ->required();
    app.add_option("--out", out, "the folder to write to; it is made where it is missing")->required();
    app.add_option("--depth-encoding", depth_encoding,
                   "how depth is stored: " + std::string(depth_encoding_names))
        ->check(CLI::Validator(parsed_by(parse_depth_encoding), "WORD"))
        ->capture_default_str();
    app.add_option("--holes", holes,
                   "what becomes of pixels without a depth: " + std::string(hole_policy_names))
        ->check(CLI::Validator(parsed_by(parse_hole_policy), "WORD"))
        ->capture_default_str();
    app.add_option("--classes", classes,
                   "nyu40, sunrgbd37, or a text file with one name a line (2 to 255 of them)")
        ->capture_default_str();
    app.add_option("--write", write, "what to write for each pair, separated by commas")
        ->delimiter(',')
        ->check(CLI::IsMember(output_kinds))
        ->capture_default_str();
    app.add_flag("--labels-from-one", labels_from_one,
                 "number the classes in label files from 1, as the official ground truth does");
    app.add_flag("--random-bases", random_bases,
                 "draw the bases of the decode head anew for each image, as the official code does; "
                 "results then differ from run to run");
    app.add_flag("--fail-fast", fail_fast, "stop at the first pair that fails, instead of going on");
  }

  bool writes(const std::string& kind) const {
    return std::find(write.begin(), write.end(), kind) != write.end();
  }
  /// Whether anything to be written needs more than the best class.
  bool needs_probabilities() const { return writes("confidence") || writes("probabilities"); }

  DepthOptions depth_options(DepthInput as) const {
    return {parse_depth_encoding(depth_encoding), parse_hole_policy(holes), as};
  }
  /// Throws: ArgumentError for a file of names that cannot be read.
  ClassList class_list() const { return classes_named(classes); }
};

}  // namespace dformer::programs
