#pragma once

#include <algorithm>
#include <cstdio>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "common/json.hpp"
#include <dformer/io/checkpoint.hpp>
#include <dformer/io/conversion_report.hpp>
#include <dformer/io/load_plan.hpp>
#include <dformer/io/utf8.hpp>
#include <dformer/io/weight_place.hpp>

namespace dformer::programs {

inline Json to_json(const Shape& shape) {
  Json extents = Json::array();
  for (const std::int64_t extent : shape) extents.push_back(extent);
  return extents;
}

inline std::uint64_t bytes_of(const TensorRecord& tensor) {
  return static_cast<std::uint64_t>(tensor.numel()) * size_of(tensor.dtype);
}

inline Json describe_tensors(std::span<const TensorRecord> tensors) {
  Json list = Json::array();
  for (const TensorRecord& tensor : tensors) {
    list.push_back({{"name", tensor.name},
                    {"dtype", to_string(tensor.dtype)},
                    {"shape", to_json(tensor.shape)},
                    {"bytes", bytes_of(tensor)}});
  }
  return list;
}

inline Json describe_checkpoint(const Checkpoint& checkpoint) {
  Json values = Json::object();
  for (const auto& [path, value] : checkpoint.metadata())
    std::visit([&, &name = path](const auto& single) { values[name] = single; }, value);
  return {{"path", checkpoint.path()},
          {"container", to_string(checkpoint.format())},
          {"weights_under", checkpoint.selected()},
          {"tensors", describe_tensors(checkpoint.tensors())},
          {"other_tensors", describe_tensors(checkpoint.other_tensors())},
          {"values", values}};
}

inline void print_tensors(std::span<const TensorRecord> tensors) {
  std::size_t width = 4;
  for (const TensorRecord& tensor : tensors) width = std::max(width, tensor.name.size());
  std::printf("%-*s  %-8s  %12s  %s\n", static_cast<int>(width), "name", "dtype", "bytes", "shape");
  for (const TensorRecord& tensor : tensors) {
    std::printf("%-*s  %-8s  %12llu  %s\n", static_cast<int>(width), tensor.name.c_str(),
                std::string(to_string(tensor.dtype)).c_str(),
                static_cast<unsigned long long>(bytes_of(tensor)), to_string(tensor.shape).c_str());
  }
}

inline void print_checkpoint(const Checkpoint& checkpoint) {
  std::uint64_t bytes = 0;
  for (const TensorRecord& tensor : checkpoint.tensors()) bytes += bytes_of(tensor);
  std::printf("%s: %s; %zu tensors, %.1f MB\n", checkpoint.path().c_str(),
              describe_source(checkpoint).c_str(), checkpoint.tensors().size(),
              static_cast<double>(bytes) / 1e6);
  print_tensors(checkpoint.tensors());
  if (!checkpoint.other_tensors().empty()) {
    std::printf("\nbeside the weights:\n");
    print_tensors(checkpoint.other_tensors());
  }
  if (checkpoint.metadata().empty()) return;
  std::printf("\nvalues:\n");
  for (const auto& [path, value] : checkpoint.metadata()) {
    const Json text = std::visit([](const auto& single) { return Json(single); }, value);
    std::printf("%s  %s\n", io::without_control_characters(path).c_str(),
                text.dump(-1, ' ', false, Json::error_handler_t::replace).c_str());
  }
}

inline Json to_json(const LoadReport& report) {
  Json missing = Json::array();
  for (const LoadReport::Missing& entry : report.missing) missing.push_back(entry.name);
  Json mismatched = Json::array();
  for (const LoadReport::Mismatched& entry : report.mismatched) {
    mismatched.push_back(
        {{"name", entry.name}, {"file", to_json(entry.file_shape)}, {"network", to_json(entry.shape)}});
  }
  return {{"fits", report.complete()}, {"applied", report.applied.size()}, {"renamed", report.renamed.size()},
          {"missing", missing},        {"unused", report.unused},          {"mismatched", mismatched},
          {"ignored", report.ignored}};
}

inline Json to_json(const ConversionReport& report) {
  Json tensors = Json::array();
  for (const ConversionReport::Tensor& tensor : report.tensors) {
    tensors.push_back({{"from", tensor.from},
                       {"to", tensor.to},
                       {"shape", to_json(tensor.shape)},
                       {"from_dtype", to_string(tensor.from_dtype)},
                       {"dtype", to_string(tensor.dtype)}});
  }
  Json dropped = Json::array();
  for (const ConversionReport::Dropped& part : report.dropped) {
    dropped.push_back(
        {{"path", part.path}, {"tensors", part.tensors}, {"values", part.values}, {"reason", part.reason}});
  }
  return {{"input", report.input},         {"source", report.source},
          {"output", report.output},       {"container", to_string(report.format)},
          {"weights_under", report.place}, {"tensors", tensors},
          {"not_carried_over", dropped},   {"overflowed", report.overflowed}};
}

inline void print_report(const ConversionReport& report) {
  std::printf("%s: %s\n%s: %s, weights under '%s'\n", report.input.c_str(), report.source.c_str(),
              report.output.c_str(), std::string(to_string(report.format)).c_str(), report.place.c_str());
  const auto converted = std::ranges::count_if(report.tensors, [](const ConversionReport::Tensor& tensor) {
    return tensor.dtype != tensor.from_dtype;
  });
  std::printf("%zu tensors", report.tensors.size());
  if (converted > 0) {
    std::printf(", %td of them with another element type", converted);
  } else {
    std::printf(", every bit as it was");
  }
  std::printf("\n");
  const std::vector<RenamedGroup> groups = renamed_groups(report);
  if (!groups.empty()) {
    std::printf("\n%-20s %-20s %8s  %s\n", "name", "becomes", "tensors", "the first");
    for (const RenamedGroup& group : groups) {
      std::printf("%-20s %-20s %8zu  %s\n", ("'" + group.from + "'").c_str(), ("'" + group.to + "'").c_str(),
                  group.tensors, group.first.c_str());
    }
  }
  if (!report.dropped.empty()) {
    std::printf("\n%-20s %8s %8s  %s\n", "not carried over", "tensors", "values", "because");
    for (const ConversionReport::Dropped& part : report.dropped) {
      std::printf("%-20s %8zu %8zu  %s\n", part.path.c_str(), part.tensors, part.values, part.reason.c_str());
    }
  }
}

/// What OnnxExport::run gives.
inline void print_onnx(const Json& model) {
  std::printf("%s: ONNX, opset %d; %d nodes, %d initializers; rgb and depth of %dx%d, batch %s, to %s\n",
              model.at("output").get<std::string>().c_str(), model.at("opset").get<int>(),
              model.at("nodes").get<int>(), model.at("initializers").get<int>(),
              model.at("height").get<int>(), model.at("width").get<int>(), model.at("batch").dump().c_str(),
              model.at("gives").get<std::string>().c_str());
}

/// A place of one's own is for other programs.
inline void warn_of_place(const ConversionReport& report) {
  if (report.place == io::top_level || io::is_searched_place(report.place)) return;
  std::fprintf(
      stderr,
      "warning: %s has its weights under '%s', where nothing here finds them: dformer, as most readers, "
      "looks only under state_dict_ema, model and state_dict and at the top level\n",
      report.output.c_str(), report.place.c_str());
}

inline void warn_of_overflow(const ConversionReport& report) {
  if (report.overflowed == 0) return;
  std::fprintf(stderr, "warning: %llu values lie beyond the range of the element type and became infinite\n",
               static_cast<unsigned long long>(report.overflowed));
}

}  // namespace dformer::programs
