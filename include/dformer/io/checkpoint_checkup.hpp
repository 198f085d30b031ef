#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <dformer/core/finding.hpp>
#include <dformer/core/number_text.hpp>
#include <dformer/io/checkpoint_findings.hpp>
#include <dformer/io/checkpoint_fit.hpp>
#include <dformer/io/renamed_network.hpp>
#include <dformer/io/tensor_statistics.hpp>
#include <dformer/io/training_state_checkup.hpp>

namespace dformer {

/// What a check of a checkpoint found: what it is, and how it fits.
struct CheckpointCheckup : Checkup {
  std::vector<CheckpointFit> fits{};     ///< one for each candidate, the best first
  std::optional<std::string> network{};  ///< that it is of
  std::optional<int> num_classes{};      ///< of its last layer
  bool backbone_only = false;
};

namespace detail {

/// Looks at the numbers of every tensor.
class TensorCheck {
 public:
  TensorCheck(const std::string& file, Checkup& checkup) : file_(file), checkup_(checkup) {}

  void check_weights(std::span<const TensorRecord> tensors) {
    for (const TensorRecord& tensor : tensors) check_weight(tensor, statistics_of(tensor));
    // A few layers may have been left out of training on purpose; all of them were not.
    if (scales_ > 0 && scales_at_start_ == scales_)
      add(checkpoint_findings::untrained_scales, std::to_string(scales_) + " tensors");
    if (statistics_ > 0 && statistics_at_start_ == statistics_)
      add(checkpoint_findings::fresh_statistics, std::to_string(statistics_) + " norms");
  }
  /// Of an optimizer, averages, and whatever else the file has.
  void check_others(std::span<const TensorRecord> tensors) {
    for (const TensorRecord& tensor : tensors) check_finite(tensor, statistics_of(tensor));
  }

 private:
  void check_weight(const TensorRecord& tensor, const TensorStatistics& numbers) {
    check_finite(tensor, numbers);
    const std::string_view name = tensor.name;
    const std::string range = tensor.name + " " + to_string(tensor.shape) + ": " + number_text(numbers.low) +
                              " to " + number_text(numbers.high);
    if (is_floating_point(tensor.dtype) && numbers.magnitude() > 65504.0)
      add(checkpoint_findings::float16_overflow, range);
    if (name.ends_with("running_var")) return check_variance(range, numbers);
    if (is_layer_scale(name)) {
      ++scales_;
      scales_at_start_ += numbers.low >= 0.99e-6 && numbers.high <= 1.01e-6 ? 1 : 0;
    }
    if (!is_floating_point(tensor.dtype) || tensor.shape.rank() < 2 || !name.ends_with("weight")) return;
    if (numbers.all_are(0)) {
      add(checkpoint_findings::zero_weights, tensor.name + " " + to_string(tensor.shape));
    } else if (numbers.all_equal()) {
      add(checkpoint_findings::equal_weights, range);
    } else if (numbers.magnitude() > 1000) {
      add(checkpoint_findings::huge_weights, range);
    }
  }

  void check_finite(const TensorRecord& tensor, const TensorStatistics& numbers) {
    if (numbers.finite()) return;
    add(checkpoint_findings::not_finite,
        tensor.name + " " + to_string(tensor.shape) + ": " + std::to_string(numbers.nan) + " NaN, " +
            std::to_string(numbers.infinite) + " infinite of " + std::to_string(numbers.count));
  }

  void check_variance(const std::string& range, const TensorStatistics& numbers) {
    ++statistics_;
    statistics_at_start_ += numbers.all_are(1) ? 1 : 0;
    if (numbers.low < 0) {
      add(checkpoint_findings::negative_variance, range);
    } else if (numbers.low == 0) {
      add(checkpoint_findings::zero_variance, range);
    }
  }

  static bool is_layer_scale(std::string_view name) {
    const std::string_view leaf = name.substr(name.rfind('.') + 1);
    return leaf.starts_with("layer_scale_") || leaf.starts_with("gamma_") || leaf == "gamma1" ||
           leaf == "gamma2";
  }
  void add(const FindingKind& kind, std::string what) { checkup_.find(kind, {file_, 0, std::move(what)}); }

  std::string file_;
  Checkup& checkup_;
  std::size_t scales_ = 0;
  std::size_t scales_at_start_ = 0;
  std::size_t statistics_ = 0;
  std::size_t statistics_at_start_ = 0;
};

/// What the file is, apart from its numbers.
inline void state_contents(const Checkpoint& checkpoint, Checkup& checkup) {
  std::int64_t numbers = 0;
  std::map<std::string_view, std::size_t> types;
  for (const TensorRecord& tensor : checkpoint.tensors()) {
    numbers += tensor.numel();
    ++types[to_string(tensor.dtype)];
  }
  std::string text =
      std::to_string(checkpoint.tensors().size()) + " tensors, " + std::to_string(numbers) + " numbers (";
  for (const auto& [type, count] : types)
    text.append(text.back() == '(' ? "" : ", ").append(std::to_string(count)).append(" ").append(type);
  checkup.fact("container", describe_source(checkpoint));
  checkup.fact("weights", text + ")");

  std::set<std::string> beside;
  for (const TensorRecord& tensor : checkpoint.other_tensors())
    beside.insert(tensor.name.substr(0, tensor.name.find('.')));
  const bool optimizer = has_optimizer(checkpoint);
  std::string lacking;
  if (optimizer) {
    lacking = lacking_moments(checkpoint);
    const std::string epoch = lacking_epoch(checkpoint);
    if (!epoch.empty()) lacking.append(lacking.empty() ? "" : "; ").append(epoch);
  }
  std::string state = "weights only";
  if (optimizer)
    state = lacking.empty() ? "state of an optimizer: training can go on" : "state of an optimizer";
  if (const auto epoch = checkpoint.integer("epoch")) state += ", epoch " + std::to_string(*epoch);
  if (const auto iteration = checkpoint.integer("iteration"))
    state += ", iteration " + std::to_string(*iteration);
  if (!lacking.empty()) state += "; training cannot go on from it: " + lacking;
  checkup.fact("training", state);
  if (beside.empty()) return;
  std::string names;
  for (const std::string& name : beside) names.append(names.empty() ? "" : ", ").append(name);
  checkup.fact("beside", names);
}

/// What of the best candidate is missing, left over, or of another shape.
inline void judge_fit(const CheckpointFit& fit, const Checkpoint& checkpoint,
                      std::span<const CandidateNetwork> candidates, CheckpointCheckup& checkup) {
  const LoadReport& report = fit.report;
  const auto add = [&](const FindingKind& kind, const std::string& what) {
    checkup.find(kind, {report.path, 0, what});
  };
  const std::size_t known = report.applied.size() + report.mismatched.size();
  if (2 * known < fit.tensors()) {
    add(checkpoint_findings::unknown_network, fit.name() + " is nearest: " + std::to_string(known) + " of " +
                                                  std::to_string(fit.tensors()) + " names" +
                                                  renamed_network_text(checkpoint, candidates));
    return;
  }
  checkup.network = fit.network;
  checkup.backbone_only = fit.backbone_only();
  if (checkup.backbone_only) {
    add(checkpoint_findings::backbone_only, "of " + fit.network);
    return;  // what else such a file has, a classifier, is of no use here
  }
  for (const LoadReport::Missing& each : report.missing)
    add(checkpoint_findings::missing_tensors, report_line(each));
  for (const LoadReport::Mismatched& each : report.mismatched) {
    add(checkpoint_findings::other_shapes,
        each.name + ": file " + to_string(each.file_shape) + ", " + fit.name() + " " + to_string(each.shape));
  }
  for (const std::string& name : report.unused) add(checkpoint_findings::unused_tensors, name);
}

/// The network, and how much the file would fill of each.
inline void state_fits(CheckpointCheckup& checkup) {
  if (checkup.network) {
    const CheckpointFit& best = checkup.fits.front();
    std::string text = best.name();
    for (const CheckpointFit& fit : checkup.fits) {
      if (&fit != &best && fit.network == best.network && fit.differences() == best.differences())
        text += " or " + fit.like;
    }
    if (checkup.num_classes) text += ", " + std::to_string(*checkup.num_classes) + " classes";
    checkup.fact("network", text);
  }
  std::string text;
  std::set<std::string> stated;  // each network once, as it fits best
  for (const CheckpointFit& fit : checkup.fits) {
    if (!stated.insert(fit.network).second) continue;
    text.append(text.empty() ? "" : ", ").append(fit.network).append(" ");
    text.append(std::to_string(static_cast<int>(100 * fit.coverage()))).append(" %");
  }
  if (!text.empty()) checkup.fact("coverage", text);
}

}  // namespace detail

/// Checks an open checkpoint against the networks that it may be of, and every number in it.
inline CheckpointCheckup check_checkpoint(const Checkpoint& checkpoint,
                                          std::span<const CandidateNetwork> candidates) {
  CheckpointCheckup checkup;
  checkup.subject = "checkpoint " + checkpoint.path();
  checkup.num_classes = class_count_of(checkpoint);
  detail::state_contents(checkpoint, checkup);
  for (const CandidateNetwork& candidate : candidates)
    checkup.fits.push_back(fit_checkpoint(checkpoint, candidate));
  std::ranges::stable_sort(checkup.fits, {}, &CheckpointFit::differences);
  if (!checkup.fits.empty()) detail::judge_fit(checkup.fits.front(), checkpoint, candidates, checkup);
  detail::state_fits(checkup);
  detail::TensorCheck tensors(checkpoint.path(), checkup);
  tensors.check_weights(checkpoint.tensors());
  tensors.check_others(checkpoint.other_tensors());
  checkup.sort();
  return checkup;
}

/// The finding for a file that cannot be opened as a checkpoint.
inline CheckpointCheckup unreadable_checkpoint(const std::filesystem::path& path,
                                               const CheckpointError& error) {
  CheckpointCheckup checkup;
  checkup.subject = "checkpoint " + path.string();
  std::string text(to_string(error.kind()));
  if (error.offset() != CheckpointError::no_offset) text += " at byte " + std::to_string(error.offset());
  text += ": " + without_subject(error.what(), error.path());
  checkup.find(checkpoint_findings::unreadable, {path.string(), 0, std::move(text)});
  return checkup;
}

}  // namespace dformer
