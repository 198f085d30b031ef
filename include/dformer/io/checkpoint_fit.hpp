#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <dformer/io/checkpoint.hpp>
#include <dformer/io/load_plan.hpp>

namespace dformer {

/// A network that a file may be of.
struct CandidateNetwork {
  std::string name;    ///< "DFormerv2_S"
  std::string like{};  ///< the configuration it follows, where that changes its shapes: "sunrgbd"
  std::vector<LoadTarget> targets{};  ///< `load_targets(net)`
};

/// How much of a network a file fills.
struct CheckpointFit {
  std::string network;
  std::string like{};
  LoadReport report{};

  /// That the network needs.
  std::size_t tensors() const {
    return report.applied.size() + report.missing.size() + report.mismatched.size();
  }

  /// "DFormerv2_S like sunrgbd"
  std::string name() const { return like.empty() ? network : network + " like " + like; }
  /// Of the network's tensors those that the file has with their shapes, 0 … 1.
  double coverage() const {
    return tensors() == 0 ? 0 : static_cast<double>(report.applied.size()) / static_cast<double>(tensors());
  }
  /// Names that one of the two has and the other has not, or with another shape.
  std::size_t differences() const {
    return report.missing.size() + report.unused.size() + report.mismatched.size();
  }
  /// Whether the file has all of the backbone and nothing of the decode head.
  bool backbone_only() const {
    const auto of_head = [](std::string_view name) {
      return name.starts_with("decode_head.") || name.starts_with("Decoder.");
    };
    return report.mismatched.empty() && !report.missing.empty() && !report.applied.empty() &&
           std::ranges::all_of(report.missing, of_head, &LoadReport::Missing::name) &&
           std::ranges::none_of(report.applied, of_head);
  }
};

inline CheckpointFit fit_checkpoint(const Checkpoint& checkpoint, const CandidateNetwork& candidate) {
  return {candidate.name, candidate.like, plan_load(checkpoint, candidate.targets, {.strict = false}).report};
}

/// The number of classes that a file's last layer has; none where it has no such layer.
inline std::optional<int> class_count_of(const Checkpoint& checkpoint) {
  for (const TensorRecord& tensor : checkpoint.tensors()) {
    if (tensor.shape.rank() < 2) continue;
    for (const std::string& name : candidate_keys(tensor.name)) {
      if (std::ranges::any_of(classifiers, [&](std::string_view layer) {
            return name.ends_with(std::string(layer) + ".weight");
          }))
        return static_cast<int>(std::min<std::int64_t>(tensor.shape[0], 1 << 20));
    }
  }
  return std::nullopt;
}

}  // namespace dformer
