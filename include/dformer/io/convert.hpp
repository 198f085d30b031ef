#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <unordered_map>
#include <utility>
#include <vector>

#include <dformer/core/dtype.hpp>
#include <dformer/core/error.hpp>
#include <dformer/io/checkpoint.hpp>
#include <dformer/io/checkpoint_container.hpp>
#include <dformer/io/conversion_report.hpp>
#include <dformer/io/convert_tree.hpp>
#include <dformer/io/jittor_pickle_writer.hpp>
#include <dformer/io/key_map.hpp>
#include <dformer/io/load_plan.hpp>
#include <dformer/io/npz_writer.hpp>
#include <dformer/io/record_source.hpp>
#include <dformer/io/rename_keys.hpp>
#include <dformer/io/safetensors_writer.hpp>
#include <dformer/io/tensor_name.hpp>
#include <dformer/io/torch_legacy_writer.hpp>
#include <dformer/io/torch_writer.hpp>

namespace dformer {

/// Whose names the tensors are given.
enum class KeyNames : std::uint8_t {
  by_container,  ///< Jittor's in a Jittor pickle, the official ones of a Jittor pickle in any other container
  kept,          ///< as the input has them
  official,      ///< Jittor's become the official ones
  jittor,        ///< the official ones become Jittor's
};

struct ConvertOptions {
  /// Applied first, to each name the first one that fits.
  std::vector<PrefixRename> renames = {};
  KeyNames names = KeyNames::by_container;
  /// Of floating-point weights; all others, and what stands beside the weights, keep theirs. Not float64.
  std::optional<DType> dtype = {};
  /// Where a pickle has the weights: "model", "" for the top level; "a.b" is the dict "b" in the dict "a".
  /// Left out: where the input had them if that was a pickle, else under "model" for torch and at the top
  /// level for Jittor. A place that holds other things is refused; one where reading does not look is not
  /// (io::is_searched_place).
  std::optional<std::string> place = {};
  /// For torch: the stream that it wrote before 1.6.
  bool legacy = false;
  /// `load_targets` of a network that the weights must fit, names and shapes; they take its names. Empty:
  /// any.
  std::vector<LoadTarget> network = {};
};

namespace detail {

/// A rename that no name needed is a mistake of whoever wrote it.
inline void apply_renames(std::vector<TensorRecord>& tensors, const ConvertOptions& options,
                          const std::string& path) {
  std::vector<bool> used(options.renames.size());
  for (TensorRecord& tensor : tensors) {
    const std::size_t i = find_rename(tensor.name, options.renames);
    if (i == options.renames.size()) continue;
    used[i] = true;
    tensor.name.replace(0, options.renames[i].from.size(), options.renames[i].to);
    if (const std::string fault = io::fault_of_name(tensor.name); !fault.empty())
      throw_argument_error("[" + path + "] by '" + options.renames[i].from + "=…' " + fault);
  }
  for (std::size_t i = 0; i < used.size(); ++i) {
    if (used[i]) continue;
    throw_argument_error("[" + path + "] no tensor is left whose name starts with '" +
                         options.renames[i].from + "', which was to become '" + options.renames[i].to + "'");
  }
}

inline void apply_names(std::vector<TensorRecord>& tensors, KeyNames names, io::FileFormat from,
                        io::FileFormat to) {
  if (names == KeyNames::by_container) {
    const bool out_of_jittor = from == io::FileFormat::jittor_pickle;
    const bool into_jittor = to == io::FileFormat::jittor_pickle;
    if (out_of_jittor == into_jittor) return;
    names = into_jittor ? KeyNames::jittor : KeyNames::official;
  }
  if (names == KeyNames::kept) return;
  for (TensorRecord& tensor : tensors)
    tensor.name = names == KeyNames::jittor ? to_jittor_key(tensor.name) : from_jittor_key(tensor.name);
}

/// Throws: LoadError.
inline LoadReport fit_to_network(std::vector<TensorRecord>& tensors, const Checkpoint& checkpoint,
                                 const std::vector<LoadTarget>& network) {
  LoadPlan plan = plan_load(tensors, checkpoint.path(), describe_source(checkpoint), network, {});
  std::unordered_map<std::string, std::string> renamed;
  for (const LoadReport::Renamed& entry : plan.report.renamed) renamed.emplace(entry.file_name, entry.name);
  for (TensorRecord& tensor : tensors) {
    if (const auto found = renamed.find(tensor.name); found != renamed.end()) tensor.name = found->second;
  }
  return std::move(plan.report);
}

/// Throws: ArgumentError where two tensors have one name, or an element type is one that NumPy lacks.
inline void require_writable(const ConversionReport& report) {
  const bool numpy = report.format == io::FileFormat::jittor_pickle || report.format == io::FileFormat::npz;
  std::unordered_map<std::string_view, std::string_view> names;
  for (const ConversionReport::Tensor& tensor : report.tensors) {
    const auto [first, is_new] = names.emplace(tensor.to, tensor.from);
    if (!is_new) {
      throw_argument_error("[" + report.output + "] '" + std::string(first->second) + "' and '" +
                           tensor.from + "' of " + report.input + " would both be named '" + tensor.to +
                           "'; rename one of them");
    }
    if (numpy && tensor.dtype == DType::bfloat16) {
      throw_argument_error("[" + report.output + "] tensor '" + tensor.to +
                           "' is bfloat16, which NumPy's arrays cannot be; convert to float32, which holds "
                           "the same values, or to float16");
    }
  }
}

/// Throws: ArgumentError for an output that is the input.
inline void require_another_file(const std::filesystem::path& in, const std::filesystem::path& out) {
  std::error_code missing;
  if (!std::filesystem::equivalent(in, out, missing)) return;
  throw_argument_error("[" + out.string() + "] the output is the input; choose another name");
}

}  // namespace detail

/// Whether the weights of a file, under the names that `options.renames` gives them, fit `options.network`.
/// Throws: LoadError where they do not; ArgumentError for a rename that fits no name.
inline LoadReport require_fit(const Checkpoint& checkpoint, const ConvertOptions& options) {
  std::vector<TensorRecord> tensors(checkpoint.tensors().begin(), checkpoint.tensors().end());
  detail::apply_renames(tensors, options, checkpoint.path());
  return detail::fit_to_network(tensors, checkpoint, options.network);
}

/// Writes a checkpoint anew: in the container that the end of `out` names (checkpoint_containers), under
/// other names, with other element types. Where a type does not change the elements keep their bits. They are
/// copied from file to file one tensor at a time; `out` appears complete or not at all.
/// Throws: CheckpointError (LoadError for a file that does not fit `options.network`); ArgumentError for an
/// output that is the input or is named like no checkpoint, for options that cannot be met, and for tensors
/// that the container cannot hold; FileError.
inline ConversionReport convert_checkpoint(const std::filesystem::path& in, const std::filesystem::path& out,
                                           const ConvertOptions& options = {}) {
  ConversionReport report;
  report.format = container_of(out);
  if (options.legacy && report.format != io::FileFormat::torch_zip)
    throw_argument_error("[" + out.string() + "] only torch's files have an older form; name it .pth");
  if (options.place && !holds_trees(report.format))
    throw_argument_error("[" + out.string() + "] holds tensors at its top level and nowhere else");
  if (options.legacy) report.format = io::FileFormat::torch_legacy;
  const Checkpoint checkpoint = read_checkpoint(in);
  detail::require_another_file(in, out);
  report.input = checkpoint.path();
  report.source = describe_source(checkpoint);
  report.output = out.string();

  std::vector<TensorRecord> tensors(checkpoint.tensors().begin(), checkpoint.tensors().end());
  detail::apply_renames(tensors, options, report.input);
  if (!options.network.empty()) {
    report.fitting = detail::fit_to_network(tensors, checkpoint, options.network);
  }
  detail::apply_names(tensors, options.names, checkpoint.format(), report.format);

  std::vector<NamedTensor> weights;
  const auto count_overflowed = [&report](std::uint64_t count) { report.overflowed += count; };
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const TensorRecord& tensor = tensors[i];
    const bool converted = options.dtype && is_floating_point(tensor.dtype);
    const DType dtype = converted ? *options.dtype : tensor.dtype;
    report.tensors.push_back({checkpoint.tensors()[i].name, tensor.name, tensor.shape, tensor.dtype, dtype});
    weights.push_back({tensor.name, record_source(tensor, dtype, count_overflowed)});
  }
  detail::require_writable(report);

  TorchDict tree;
  if (holds_trees(report.format)) {
    report.place = detail::place_of(checkpoint, report.format, options.place);
    tree = detail::with_weights(checkpoint, report.place, weights);
    if (report.place.empty()) report.place = io::top_level;
  } else {
    report.place = io::top_level;
  }
  report.dropped = detail::dropped_from(checkpoint, report.format);
  switch (report.format) {
    case io::FileFormat::torch_zip:
      write_torch_checkpoint(out, tree);
      break;
    case io::FileFormat::torch_legacy:
      write_torch_legacy(out, tree);
      break;
    case io::FileFormat::jittor_pickle:
      write_jittor_pickle(out, tree);
      break;
    case io::FileFormat::safetensors:
      write_safetensors(out, weights, detail::safetensors_metadata(checkpoint));
      break;
    case io::FileFormat::npz:
      write_npz(out, weights);
      break;
  }
  return report;
}

}  // namespace dformer
