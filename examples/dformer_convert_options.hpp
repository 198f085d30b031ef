#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "common/network.hpp"
#include "common/onnx_export.hpp"
#include "common/program.hpp"
#include <dformer/backend/count/count.hpp>
#include <dformer/io/convert.hpp>

namespace dformer::programs {

inline const std::map<std::string, DType> dtypes{
    {"float32", DType::float32}, {"float16", DType::float16}, {"bfloat16", DType::bfloat16}};
inline const std::map<std::string, KeyNames> key_names{
    {"keep", KeyNames::kept}, {"official", KeyNames::official}, {"jittor", KeyNames::jittor}};

struct ConvertProgramOptions {
  std::filesystem::path in;
  std::filesystem::path out;
  bool list = false;
  std::string json;
  NetworkOptions network;
  int num_classes = 40;
  std::vector<std::string> renames;
  std::filesystem::path map;
  std::string dtype;
  std::string names;
  std::optional<std::string> under;
  bool legacy = false;
  OnnxExport onnx;

  void add_to(CLI::App& app) {
    app.add_option("in", in, "the checkpoint to read; its container is seen from its content")->required();
    app.add_option("out", out,
                   "the checkpoint to write: .pth, .pt, .pth.tar, .bin (torch), .safetensors, .pkl (Jittor), "
                   ".npz; .onnx for the network itself with its weights; nothing is written without it")
        ->check(CLI::Validator(parsed_by([](const std::string& name) {
                                 if (!OnnxExport::writes(name)) require_container(name);
                               }),
                               "FILE"));
    app.add_flag("--list", list, "show every tensor of the input and what stands beside the weights");
    app.add_option("--json", json, "a file for the same as JSON; - prints it in place of the tables");
    network.add_to(app, "a network that the weights must fit, names and shapes; they take its names", false);
    app.add_option("--classes", num_classes, "how many classes that network has")
        ->check(CLI::Range(2, 255))
        ->capture_default_str();
    for (const char* option : {"--like", "--classes"})
      app.get_option(option)->needs(app.get_option("--model"));
    app.add_option("--rename", renames,
                   "FROM=TO: names that start with FROM start with TO instead; may be given again, the first "
                   "that fits a name counts")
        ->allow_extra_args(false)
        ->check(CLI::Validator(parsed_by(parse_prefix_rename), "FROM=TO"));
    app.add_option("--map", map, "a file of such renames, one a line, which come after those of --rename")
        ->check(CLI::ExistingFile);
    add_form_to(app);
    for (const char* option : {"--dtype", "--names", "--under", "--legacy"})
      app.get_option(option)->needs(app.get_option("out"));
    onnx.add_to(app);
    app.callback([this, &app] {
      if (out.empty() && !list && network.model.empty()) throw CLI::RequiredError("out, --list or --model");
      if (out.empty() && network.model.empty()) {
        for (const char* option : {"--rename", "--map"}) {
          if (app.count(option) > 0) throw CLI::RequiresError(option, "out or --model");
        }
      }
      if (exports()) {
        if (network.model.empty()) throw CLI::RequiredError("--model, for an output that ends with .onnx,");
        for (const char* other : {"--rename", "--map", "--dtype", "--names", "--under", "--legacy"}) {
          if (app.count(other) > 0) throw CLI::ExcludesError(other, "an output that ends with .onnx");
        }
      } else if (onnx.asked_for()) {
        throw CLI::ValidationError("--size, --batch and --output are for an output that ends with .onnx");
      }
    });
  }

  bool exports() const { return OnnxExport::writes(out); }

  /// Throws: ArgumentError, FileError.
  ConvertOptions conversion() const {
    ConvertOptions options{.place = place(), .legacy = legacy};
    if (!names.empty()) options.names = key_names.at(names);
    if (!dtype.empty()) options.dtype = dtypes.at(dtype);
    for (const std::string& each : renames) options.renames.push_back(parse_prefix_rename(each));
    if (!map.empty()) {
      for (PrefixRename& each : read_prefix_renames(map)) options.renames.push_back(std::move(each));
    }
    if (!network.model.empty())
      options.network = load_targets(*network.make<Count>(static_cast<std::size_t>(num_classes)));
    return options;
  }

 private:
  /// Throws: ArgumentError for a name that ends like nothing that can be written.
  static void require_container(const std::string& name) {
    try {
      container_of(name);
    } catch (const ArgumentError& error) {
      throw ArgumentError(std::string(error.what()) + "; that of a network as an ONNX model with .onnx");
    }
  }

  void add_form_to(CLI::App& app) {
    app.add_option("--dtype", dtype, "element type of floating-point weights; as in the input where left out")
        ->check(CLI::IsMember(dtypes));
    app.add_option(
           "--names", names,
           "whose names the tensors get; where left out, jittor for a .pkl and official for what comes "
           "out of one")
        ->check(CLI::IsMember(key_names));
    app.add_option(
        "--under", under,
        "where a torch or Jittor file has the weights, such as model or state_dict; a.b for the dict b "
        "in the dict a, . for the top level. Left out: as in the input, or else model for torch, . for "
        "Jittor");
    app.add_flag("--legacy", legacy, "write torch's form before 1.6, for old versions and programs");
  }

  std::optional<std::string> place() const {
    if (under && *under == ".") return "";
    return under;
  }
};

}  // namespace dformer::programs
