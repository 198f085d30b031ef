#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <dformer/core/shape.hpp>
#include <dformer/io/checkpoint.hpp>
#include <dformer/io/key_map.hpp>
#include <dformer/io/load_report.hpp>
#include <dformer/nn/parameter.hpp>
#include <dformer/nn/visit.hpp>

namespace dformer {

/// The container and the place in it: "safetensors, weights under 'top level'".
inline std::string describe_source(const Checkpoint& checkpoint) {
  std::string text =
      std::string(to_string(checkpoint.format())) + ", weights under '" + checkpoint.selected() + "'";
  const std::string_view removed = checkpoint.removed_prefix();
  if (!removed.empty()) text += ", '" + std::string(removed) + "' taken off each name";
  return text;
}

/// How much a file may differ from the network.
struct LoadOptions {
  /// Whether a missing, unused or mismatched tensor is an error.
  bool strict = true;
  /// Starts of network names whose shapes may differ; those tensors keep the values they have. For another
  /// number of classes: {"decode_head.conv_seg"}.
  std::vector<std::string> skip_mismatched = {};
  /// Only tensors of the network whose names start with this are loaded, and what else the file has may stay
  /// unused. For an ImageNet pre-training file: "backbone.".
  std::string prefix = {};
};

/// A file's names or shapes differ from the network's more than the options allow. The text is the report.
class LoadError : public CheckpointError {
 public:
  explicit LoadError(LoadReport report)
      : CheckpointError(Kind::key_mismatch, report.path, no_offset,
                        "the file does not fit the network, which was left as it was.\n" + to_string(report) +
                            advice(report)),
        report_(std::move(report)) {}

  const LoadReport& report() const { return report_; }

 private:
  static std::string advice(const LoadReport& report) {
    if (report.applied.empty()) return "\n  Not one name fits: is this the file of another network?";
    if (report.missing.empty() && report.unused.empty()) return advice_on_shapes(report.mismatched);
    return "\n  For a pre-trained backbone, load with LoadOptions{.prefix = \"backbone.\"}; to take what "
           "fits, with "
           "LoadOptions{.strict = false}.";
  }

  /// Another number of classes changes the shapes of one layer.
  static std::string advice_on_shapes(const std::vector<LoadReport::Mismatched>& mismatched) {
    std::string_view layer;
    for (const LoadReport::Mismatched& entry : mismatched) {
      const std::string_view name = entry.name;
      const std::string_view parent = name.substr(0, name.rfind('.'));
      if (layer.empty()) layer = parent;
      if (parent == layer) continue;
      return "\n  More differs than the number of classes. Is this the file of another variant? "
             "DFormerv2's\n  decode head is wider where it was trained on SUNRGBD (OfficialDataset).";
    }
    return "\n  For another number of classes, load with LoadOptions{.skip_mismatched = {\"" +
           std::string(layer) + "\"}}.";
  }

  LoadReport report_;
};

/// An entry of the network that a file should fill.
struct LoadTarget {
  std::string name;
  Shape shape;
  ParameterKind kind = ParameterKind::trained;
  bool computed = false;  ///< a table that the network can write itself
};

/// What a network has for a file to fill, in the order of `parameters(net)`.
template <class Module>
std::vector<LoadTarget> load_targets(const Module& net) {
  std::vector<LoadTarget> targets;
  for (const auto& [name, parameter] : parameters(net))
    targets.push_back({name, parameter->shape(), parameter->kind(), parameter->table() != nullptr});
  return targets;
}

/// Which tensor of the file goes where: one for each target, nullptr where the target keeps its value.
struct LoadPlan {
  std::vector<const TensorRecord*> sources;
  LoadReport report;
};

namespace detail {

/// A linear layer and a convolution of one pixel hold the same numbers, so trailing extents of 1 do not
/// count.
inline bool same_numbers(const Shape& a, const Shape& b) {
  for (int axis = 0; axis < std::max(a.rank(), b.rank()); ++axis) {
    if ((axis < a.rank() ? a[axis] : 1) != (axis < b.rank() ? b[axis] : 1)) return false;
  }
  return true;
}

inline bool starts_with_any(std::string_view name, const std::vector<std::string>& prefixes) {
  return std::ranges::any_of(prefixes,
                             [name](const std::string& prefix) { return name.starts_with(prefix); });
}

/// The target of each tensor of the file: first those whose names agree, then those that agree after
/// renaming.
inline std::vector<std::size_t> match_names(std::span<const TensorRecord> tensors,
                                            std::span<const LoadTarget> targets) {
  std::unordered_map<std::string_view, std::size_t> free;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    if (targets[i].kind != ParameterKind::constant) free.emplace(targets[i].name, i);
  }
  std::vector<std::size_t> matches(tensors.size(), targets.size());
  const auto match = [&](std::size_t tensor, std::string_view name) {
    const auto found = free.find(name);
    if (found == free.end()) return false;
    matches[tensor] = found->second;
    free.erase(found);
    return true;
  };
  for (std::size_t i = 0; i < tensors.size(); ++i) match(i, tensors[i].name);
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    if (matches[i] != targets.size()) continue;
    for (const std::string& candidate : candidate_keys(tensors[i].name)) {
      if (match(i, candidate)) break;
    }
  }
  return matches;
}

}  // namespace detail

/// Decides what loading these tensors would do, without doing it. `path` and `source` are what the report
/// says of their origin. Throws: LoadError if the options do not allow it.
inline LoadPlan plan_load(std::span<const TensorRecord> tensors, std::string path, std::string source,
                          std::span<const LoadTarget> targets, const LoadOptions& options) {
  LoadPlan plan;
  plan.sources.resize(targets.size());
  LoadReport& report = plan.report;
  report.path = std::move(path);
  report.source = std::move(source);

  const std::vector<std::size_t> matches = detail::match_names(tensors, targets);
  std::vector<bool> mentioned(targets.size());
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const TensorRecord& tensor = tensors[i];
    if (matches[i] == targets.size()) {
      const bool ignorable = std::ranges::any_of(candidate_keys(tensor.name), is_ignorable_key);
      (ignorable ? report.ignored : report.unused).push_back(tensor.name);
      continue;
    }
    const LoadTarget& target = targets[matches[i]];
    if (!target.name.starts_with(options.prefix)) continue;
    mentioned[matches[i]] = true;
    if (!detail::same_numbers(tensor.shape, target.shape)) {
      const bool allowed = detail::starts_with_any(target.name, options.skip_mismatched);
      (allowed ? report.skipped : report.mismatched).push_back({target.name, tensor.shape, target.shape});
      continue;
    }
    plan.sources[matches[i]] = &tensor;
    report.applied.push_back(target.name);
    if (tensor.name != target.name) report.renamed.push_back({tensor.name, target.name});
  }
  for (std::size_t i = 0; i < targets.size(); ++i) {
    if (targets[i].kind == ParameterKind::constant) continue;
    if (!targets[i].name.starts_with(options.prefix)) {
      report.outside.push_back(targets[i].name);
    } else if (!mentioned[i] && !targets[i].computed && targets[i].kind != ParameterKind::counter) {
      report.missing.push_back({targets[i].name, targets[i].shape, {}});
    }
  }
  constexpr std::size_t most_hints =
      32;  // beyond that it is another network, and comparing all names takes long
  for (std::size_t i = 0; i < std::min(report.missing.size(), most_hints); ++i) {
    report.missing[i].nearest = nearest_name(report.missing[i].name, report.unused);
  }
  const bool part = !options.prefix.empty();
  const bool fits = part ? report.missing.empty() && report.mismatched.empty() : report.complete();
  const bool nothing = part && report.applied.empty() && report.skipped.empty();  // a prefix of no name
  if (options.strict && (!fits || nothing)) throw LoadError(std::move(report));
  return plan;
}

/// The same for all the weights of a file.
inline LoadPlan plan_load(const Checkpoint& checkpoint, std::span<const LoadTarget> targets,
                          const LoadOptions& options) {
  return plan_load(checkpoint.tensors(), checkpoint.path(), describe_source(checkpoint), targets, options);
}

}  // namespace dformer
