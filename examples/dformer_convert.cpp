// Writes a checkpoint in another container, under other names, in another element type, or as an ONNX model;
// lists one; checks whether it fits a network.
#include <csignal>
#include <cstdio>
#include <iostream>
#include <string>

#include <CLI/CLI.hpp>

#include "common/json.hpp"
#include "common/program.hpp"
#include "dformer_convert_options.hpp"
#include "dformer_convert_report.hpp"
#include <dformer/io/convert.hpp>

namespace dformer::programs {
namespace {

/// What was asked for, in the order list, check, conversion; `json` is given the same.
void convert(const ConvertProgramOptions& options, Json& json) {
  const ConvertOptions conversion = options.conversion();
  const bool tables = options.json != "-";
  if (options.list) {
    const Checkpoint checkpoint = read_checkpoint(options.in);
    json["checkpoint"] = describe_checkpoint(checkpoint);
    if (tables) print_checkpoint(checkpoint);
  }
  if (options.exports()) {
    json["onnx"] = options.onnx.run(options.network, options.num_classes, options.in, options.out);
    if (tables) print_onnx(json["onnx"]);
  } else if (!options.out.empty()) {
    const ConversionReport report = convert_checkpoint(options.in, options.out, conversion);
    json["conversion"] = to_json(report);
    if (report.fitting) json["network"] = to_json(*report.fitting);
    if (tables) print_report(report);
    warn_of_overflow(report);
    warn_of_place(report);
  } else if (!conversion.network.empty()) {
    const LoadReport report = require_fit(read_checkpoint(options.in), conversion);
    json["network"] = to_json(report);
    if (tables) std::printf("%s\n", to_string(report).c_str());
  }
}

void write_report(const std::string& file, const Json& json) {
  if (file == "-") {
    std::cout << json.dump(2, ' ', false, Json::error_handler_t::replace) << '\n';
  } else if (!file.empty()) {
    write_json(file, json);
  }
}

int run(const ConvertProgramOptions& options) {
  std::signal(SIGXFSZ, SIG_IGN);  // a file that may not grow is an error like a full disk
  Json json = Json::object();
  try {
    convert(options, json);
  } catch (const LoadError& error) {
    json["network"] = to_json(error.report());
    write_report(options.json, json);
    throw Error(std::string(error.what()) +
                "\n  On this command line: --model for another network, --classes for another number of "
                "classes, --like for the other data set's head, --rename or --map for names of your own.");
  }
  write_report(options.json, json);
  return 0;
}

}  // namespace
}  // namespace dformer::programs

int main(int argc, char** argv) {
  CLI::App app(
      "Writes a checkpoint in another container, under other names, in another element type, or as an ONNX "
      "model; lists one; checks whether it fits a network.",
      "dformer_convert");
  dformer::programs::ConvertProgramOptions options;
  options.add_to(app);
  return dformer::programs::run_program(app, argc, argv, [&] { return dformer::programs::run(options); });
}
