#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include <CLI/CLI.hpp>

#include "common/backend.hpp"
#include "common/network.hpp"
#include "common/program.hpp"
#include "common/size_option.hpp"
#include "common/weights.hpp"
#include <dformer/data/classes.hpp>
#include <dformer/data/dataset.hpp>
#include <dformer/eval/official_padding.hpp>
#include <dformer/eval/protocol.hpp>

namespace dformer::programs {

struct EvalOptions {
  NetworkOptions network;
  WeightOptions weights;
  BackendOptions backend;
  std::filesystem::path data;
  std::string dataset = "nyudepthv2";
  std::string list = "test.txt";
  std::string classes;
  std::string depth_encoding;
  std::string holes = "keep";
  bool labels_from_zero = false;
  bool multi_scale = false;
  std::vector<double> scales;
  bool flip = false;
  bool sliding = false;
  std::optional<ImageSize> window;
  std::optional<ImageSize> stride;
  std::string padding = "official";
  std::string absent = "official";
  std::optional<std::uint64_t> bases_seed;
  std::filesystem::path save_predictions;
  std::filesystem::path out;
  std::size_t max_images = 0;

  void add_to(CLI::App& app) {
    network.add_to(app);
    weights.add_to(app);
    backend.add_to(app);
    add_data_to(app);
    add_protocol_to(app);
    app.add_option("--out", out, "the folder for metrics.json, metrics.csv, confusion.csv, confusion.png")
        ->required();
    app.add_option("--save-predictions", save_predictions,
                   "a folder for the predicted label maps, numbered as the data set's");
    app.add_option("--max-images", max_images, "stop after so many images; 0 for all")->capture_default_str();
  }

  bool is_sunrgbd() const { return dataset == "sunrgbd"; }

  DatasetLayout layout() const {
    DatasetLayout result = nyu_depth_v2_layout();
    if (is_sunrgbd()) result = sunrgbd_layout();
    if (dataset == "asymformer") result = asymformer_layout();
    if (dataset == "custom") result.name = "custom";
    if (!depth_encoding.empty()) result.depth.encoding = parse_depth_encoding(depth_encoding);
    result.depth.holes = parse_hole_policy(holes);
    if (labels_from_zero) result.numbering = LabelNumbering::from_zero;
    return result;
  }

  /// Those that were named; otherwise those of classes.txt in the data set's folder, or of the layout.
  /// Throws: ArgumentError for a file of names that cannot be read; UsageError where a layout of one's own
  /// has none.
  ClassList class_list() const {
    const std::filesystem::path beside = data / "classes.txt";
    std::error_code ignored;
    if (!classes.empty()) return classes_named(classes);
    if (std::filesystem::exists(beside, ignored)) return read_classes(beside);
    if (dataset == "custom")
      throw UsageError("--dataset custom has no classes of its own: --classes FILE expected, or " +
                       beside.string() + ", with one name a line");
    return is_sunrgbd() ? ClassList(sunrgbd_classes) : ClassList(nyu_depth_v2_classes);
  }

  Protocol protocol() const {
    Protocol result = multi_scale ? Protocol::multi_scale_flip() : Protocol::single_scale();
    result.flip = flip;
    if (!scales.empty()) result.scales = scales;
    if (sliding) {
      const ImageSize size = window.value_or(is_sunrgbd() ? ImageSize{480, 480} : ImageSize{480, 640});
      result.sliding = SlidingWindow::with_official_stride(size.height, size.width);
      if (stride)
        result.sliding->stride_height = stride->height, result.sliding->stride_width = stride->width;
    }
    const OfficialDataset like = is_sunrgbd() ? OfficialDataset::sunrgbd : OfficialDataset::nyu_depth_v2;
    if (padding == "official") result.padded_size = official_padded_size(network.model, like);
    result.absent = parse_absent_classes(absent);
    result.bases_seed = bases_seed;
    return result;
  }

 private:
  void add_data_to(CLI::App& app) {
    app.add_option("--data", data, "the folder of the data set")->required();
    app.add_option("--dataset", dataset, "its layout; custom is nyudepthv2's")
        ->check(CLI::IsMember({"nyudepthv2", "sunrgbd", "asymformer", "custom"}))
        ->capture_default_str();
    app.add_option("--list", list, "the list of images, in that folder")->capture_default_str();
    app.add_option(
        "--classes", classes,
        "nyu40, sunrgbd37, or a text file with one name a line (2 to 255 of them); classes.txt of the data "
        "set, or those of its layout, where left out");
    app.add_flag("--labels-from-zero", labels_from_zero,
                 "labels are numbered from 0 and 255 is ignored; officially from 1 and 0 is ignored");
    app.add_option("--depth-encoding", depth_encoding,
                   "how depth is stored: " + std::string(depth_encoding_names) +
                       "; as the layout has it where left out")
        ->check(CLI::Validator(parsed_by(parse_depth_encoding), "WORD"));
    app.add_option("--holes", holes,
                   "what becomes of pixels without a depth: " + std::string(hole_policy_names))
        ->check(CLI::Validator(parsed_by(parse_hole_policy), "WORD"))
        ->capture_default_str();
  }

  void add_protocol_to(CLI::App& app) {
    CLI::Option* many = app.add_flag("--multi-scale", multi_scale,
                                     "scales 0.5 0.75 1 1.25 1.5, sizes rounded up to multiples of 32");
    app.add_option("--scales", scales, "other scales")->needs(many)->check(above_zero());
    app.add_flag("--flip", flip, "every scale once more, mirrored");
    CLI::Option* slide = app.add_flag("--sliding", sliding, "window by window");
    add_size_option(app, "--window", window, "480x640, for sunrgbd 480x480, where left out")->needs(slide);
    add_size_option(app, "--stride", stride, "down x across; two thirds of the window where left out")
        ->needs(slide);
    app.add_option("--padding", padding, "official: SUNRGBD to 531x730 for DFormerv2; or none")
        ->check(CLI::IsMember({"official", "none"}))
        ->capture_default_str();
    app.add_option("--absent", absent,
                   "classes neither in the truth nor predicted: official counts 0, standard leaves them out")
        ->check(CLI::IsMember({"official", "standard"}))
        ->capture_default_str();
    app.add_option("--bases-seed", bases_seed,
                   "draw the decode head's starting bases from this seed; the same for all where left out");
  }
};

}  // namespace dformer::programs
