#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "json.hpp"
#include "network.hpp"
#include "program.hpp"
#include "size_option.hpp"
#include "weights.hpp"
#include <dformer/backend/onnx/onnx.hpp>
#include <dformer/core/lower_case.hpp>
#include <dformer/io/load.hpp>
#include <dformer/io/onnx_writer.hpp>
#include <dformer/models/onnx_graph.hpp>

namespace dformer::programs {

/// A network written as an ONNX model of one input size.
struct OnnxExport {
  OnnxOptions options;

  static bool writes(const std::filesystem::path& path) {
    return lower_case(path.extension().string()) == ".onnx";
  }

  void add_to(CLI::App& app) {
    CLI::Option_group* group = app.add_option_group("ONNX", "for an output that ends with .onnx");
    const auto add = [&](const char* name, void (OnnxExport::*set)(const std::string&), const char* what) {
      added_.push_back(group->add_option_function<std::string>(
          name, [this, set](const std::string& word) { (this->*set)(word); }, what));
      return group->get_option(name);
    };
    const auto checked = [](void (OnnxExport::*set)(const std::string&)) {
      return parsed_by([set](const std::string& word) { (OnnxExport().*set)(word); });
    };
    add("--size", &OnnxExport::set_size, "of the images that the model takes; 480x640 where left out")
        ->check(CLI::Validator(checked(&OnnxExport::set_size), "HEIGHTxWIDTH"));
    add("--batch", &OnnxExport::set_batch, "how many images it takes at once, or dynamic; 1 where left out")
        ->check(CLI::Validator(checked(&OnnxExport::set_batch), "N|dynamic"));
    add("--output", &OnnxExport::set_output,
        "what it gives: logits at the size of the image, labels, or coarse_logits, before the last "
        "upsampling; logits where left out")
        ->check(CLI::IsMember({"logits", "labels", "coarse_logits"}));
  }

  /// Whether one of its options was given.
  bool asked_for() const {
    return std::ranges::any_of(added_, [](const CLI::Option* option) { return option->count() > 0; });
  }

  /// Throws: ArgumentError; so does set_batch.
  void set_size(const std::string& word) {
    if (word == "dynamic") {
      throw_argument_error(
          "a model is of one height and width, for windows of pooling, positions of tokens and sizes of "
          "upsampling are recorded as numbers; export one for each size that is needed");
    }
    const ImageSize size = parse_size(word);
    options.height = size.height;
    options.width = size.width;
    require_possible(options);
  }
  void set_batch(const std::string& word) {
    options.batch = word == "dynamic" ? OnnxOptions::any_batch : positive_number(word);
    if (word != "dynamic" && options.batch == 0)
      throw_argument_error("a number of 1 or more, or dynamic, expected, got '" + word + "'");
    require_possible(options);
  }

  void set_output(const std::string& word) {
    for (const OnnxOutput output : {OnnxOutput::logits, OnnxOutput::labels, OnnxOutput::coarse_logits}) {
      if (word == name_of(output)) options.output = output;
    }
  }

  /// Writes the network with a checkpoint's weights; gives what was written. Throws: as load() and
  /// write_onnx() do, and Error where this build cannot write ONNX files.
  Json run(const NetworkOptions& network, int num_classes, const std::filesystem::path& checkpoint,
           const std::filesystem::path& out) const {
#if defined(DFORMER_PRECOMPILED_ONNX)
    const auto net = network.make<Onnx>(static_cast<std::size_t>(num_classes));
    require_finite(load(*net, checkpoint));
    const onnx::Graph graph = onnx_graph(*net, options, network.model);
    write_onnx(graph, out);
    return {{"output", out.string()},
            {"opset", onnx::opset},
            {"height", options.height},
            {"width", options.width},
            {"batch", options.batch == OnnxOptions::any_batch ? Json("dynamic") : Json(options.batch)},
            {"gives", name_of(options.output)},
            {"color_order", net->color_order == ColorOrder::bgr ? "bgr" : "rgb"},
            {"nodes", graph.nodes.size()},
            {"initializers", graph.initializers.size()}};
#else
    static_cast<void>(network), static_cast<void>(num_classes), static_cast<void>(checkpoint);
    throw Error("[" + out.string() +
                "] this build writes no ONNX files: install libonnx-dev, libprotobuf-dev and "
                "protobuf-compiler, then configure and build dformer again");
#endif
  }

 private:
  std::vector<const CLI::Option*> added_;
};

}  // namespace dformer::programs
