#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <dformer/core/half.hpp>
#include <dformer/io/difference.hpp>
#include <dformer/io/host_tensor.hpp>
#include <dformer/io/parity_fixture.hpp>

namespace dformer {

/// How far logits computed in 16 bits may be from a run recorded in float32, relative to the largest of them.
/// Every operation rounds its result once, by at most the unit roundoff u of Scalar, relative to the values
/// it adds up; some hundred operations lie one behind another, and independent errors add as their root: 10
/// u, and three times that since branches meet.
template <class Scalar>
inline constexpr double logits_bound = 0;
template <>
inline constexpr double logits_bound<half> = 30 * 0x1p-11;
template <>
inline constexpr double logits_bound<bfloat16> = 30 * 0x1p-8;

/// How far one recorded tensor was met.
struct ParityEntry {
  std::string name;
  std::size_t compared = 0;  ///< number of values
  double max_abs = 0;        ///< largest difference; for labels: the number of pixels that differ
  double max_rel = 0;        ///< largest difference over the largest recorded value
  double tolerance = 0;
  bool passed() const { return max_abs <= tolerance; }
};

/// In the order in which the network computes them, so the first that fails is where the two diverge.
struct ParityReport {
  std::vector<ParityEntry> entries;
  std::vector<std::string> not_observable;  ///< recorded, but inside one fused operation here

  bool passed() const {
    return std::all_of(entries.begin(), entries.end(),
                       [](const ParityEntry& entry) { return entry.passed(); });
  }
  /// Null where nothing diverges.
  const ParityEntry* first_divergence() const {
    const auto found = std::find_if(entries.begin(), entries.end(),
                                    [](const ParityEntry& entry) { return !entry.passed(); });
    return found == entries.end() ? nullptr : &*found;
  }
  /// For a run in other arithmetic than the recorded one: `bound`, relative to the largest logit, is asked of
  /// the logits, and nothing of what else was recorded. Without logits all is asked as before.
  void judge_logits_alone(double bound) {
    const auto is_logits = [](const ParityEntry& entry) { return entry.name == "logits"; };
    if (std::none_of(entries.begin(), entries.end(), is_logits)) return;

    for (ParityEntry& entry : entries) {
      const double largest = entry.max_rel > 0 ? entry.max_abs / entry.max_rel : 0.0;
      entry.tolerance = is_logits(entry) ? bound * largest : HUGE_VAL;
    }
  }
};

namespace parity {

/// The operation whose result is the output of an official module: the name of its weight. Empty where that
/// output exists only inside a fused operation.
inline std::string operation_of(std::string_view module) {
  const std::string name(module);
  if (module.starts_with("backbone.downsample_layers")) {
    return name + (module.ends_with(".0") ? ".3.weight" : ".1.weight");
  }
  if (module.ends_with("#0")) return name.substr(0, name.size() - 2) + ".mlp.fc2.weight";
  if (module.ends_with("#1")) return name.substr(0, name.size() - 2) + ".mlp_e2.fc2.weight";
  if (module == "backbone.patch_embed") return name + ".proj.9.weight";
  if (module.ends_with(".downsample")) return name + ".reduction.weight";
  if (module.find(".blocks.") != module.npos) return name + ".ffn.fc2.weight";
  if (module == "decode_head.squeeze" || module == "decode_head.align") return name + ".conv.weight";
  if (module == "decode_head.hamburger") return name + ".ham_out.conv.weight";
  if (module == "decode_head.hamburger.ham") return "decode_head.hamburger.bases";
  return {};
}

/// Adds the differences between recorded values and those at the same places of `actual`.
template <class ValueAt>
ParityEntry compare(std::string name, std::span<const float> expected, double tolerance,
                    const ValueAt& actual) {
  Difference difference;
  for (std::size_t i = 0; i < expected.size(); ++i)
    difference.add(static_cast<double>(actual(i)), static_cast<double>(expected[i]));
  return {std::move(name), expected.size(), difference.max_abs, difference.max_rel(), tolerance};
}

/// Compares the recorded taps, features, logits and labels of a run. Knows no network type.
class Comparison {
 public:
  Comparison(const ParityFixture& fixture, const std::map<std::string, HostTensor>& results)
      : fixture_(fixture), results_(results) {}

  ParityReport report(const HostTensor& logits, const HostTensor& final_logits,
                      std::span<const std::uint8_t> labels) {
    compare_taps();
    compare_features();
    compare_logits(logits);
    compare_samples("final", final_logits, fixture_.logits_tolerance);
    compare_labels(labels);
    return std::move(report_);
  }

 private:
  static constexpr std::size_t tap_samples = 16;

  void add(ParityEntry entry) { report_.entries.push_back(std::move(entry)); }

  void compare_logits(const HostTensor& logits) {
    if (!fixture_.has("logits")) return compare_samples("logits", logits, fixture_.logits_tolerance);
    const std::vector<float> expected = fixture_.values("logits", logits.values.size());
    add(compare("logits", expected, fixture_.logits_tolerance,
                [&](std::size_t i) { return logits.at_channels_first(static_cast<std::int64_t>(i)); }));
  }

  void compare_taps() {
    if (fixture_.taps.empty()) return;
    const std::vector<float> values = fixture_.values("tap.values", fixture_.taps.size() * tap_samples);
    // A tap has no tolerance of its own; the noisiest feature map's, in proportion to the tap's size, is
    // fair.
    double tolerance = fixture_.logits_tolerance;
    for (double feature : fixture_.feature_tolerances) tolerance = std::max(tolerance, feature);
    for (std::size_t t = 0; t < fixture_.taps.size(); ++t) {
      const ParityFixture::Tap& tap = fixture_.taps[t];
      const auto found = results_.find(operation_of(tap.name));
      if (found == results_.end()) {
        report_.not_observable.push_back(tap.name);
        continue;
      }
      const HostTensor& actual = found->second;
      fixture_.require(tap.shape.rank() > 0 && tap.shape.is_valid() && tap.shape.numel() > 0 &&
                           tap.shape.numel() == actual.shape.numel(),
                       "a shape of " + std::to_string(actual.values.size()) + " elements", tap.name);
      const bool channels_last = tap.shape.back() == actual.shape.back() &&
                                 tap.name.starts_with("backbone.") &&
                                 !tap.name.starts_with("backbone.downsample");
      const auto numel = static_cast<std::size_t>(tap.shape.numel());
      const std::size_t count = std::min(numel, tap_samples);
      const std::span<const float> expected(&values[t * tap_samples], count);
      float largest = 1.0f;
      for (float value : expected) largest = std::max(largest, std::abs(value));
      const std::size_t step = numel / count;
      add(compare(tap.name, expected, tolerance * static_cast<double>(largest), [&](std::size_t i) {
        const std::size_t index = i * step + i * 7919 % step;
        return channels_last ? actual.values[index]
                             : actual.at_channels_first(static_cast<std::int64_t>(index));
      }));
    }
  }

  void compare_features() {
    for (std::size_t level = 0; level < fixture_.feature_tolerances.size(); ++level) {
      const std::string name = "feat" + std::to_string(level);
      const auto found = results_.find(feature_operation(level));
      if (found != results_.end()) {
        compare_samples(name, found->second, fixture_.feature_tolerances[level]);
      } else if (fixture_.has(name + ".idx")) {
        report_.not_observable.push_back(name);
      }
    }
  }

  /// DFormer's features are its stages' last colour outputs, DFormerv2's the first stage's and then the extra
  /// norms'.
  std::string feature_operation(std::size_t level) const {
    if (level > 0 && fixture_.model.starts_with("DFormerv2")) {
      return "backbone.extra_norms." + std::to_string(level - 1) + ".weight";
    }
    const std::string stage =
        fixture_.model.starts_with("DFormerv2") ? "backbone.layers." : "backbone.stages.";
    std::string last;
    for (const ParityFixture::Tap& tap : fixture_.taps) {
      if (!tap.name.starts_with(stage + std::to_string(level) + ".") || tap.name.ends_with("#1")) continue;
      if (!tap.name.ends_with(".downsample")) last = tap.name;
    }
    return operation_of(last);
  }

  void compare_samples(const std::string& name, const HostTensor& actual, double tolerance) {
    if (!fixture_.has(name + ".idx")) return;
    const std::vector<std::int64_t> indices = fixture_.indices(name + ".idx");
    const std::vector<float> expected = fixture_.values(name + ".val", indices.size());
    const auto inside = [&](std::int64_t index) { return index >= 0 && index < actual.shape.numel(); };
    fixture_.require(std::ranges::all_of(indices, inside),
                     "indices below " + std::to_string(actual.values.size()), name + ".idx");
    add(compare(name, expected, tolerance,
                [&](std::size_t i) { return actual.at_channels_first(indices[i]); }));
  }

  void compare_labels(std::span<const std::uint8_t> labels) {
    const std::vector<std::int64_t> expected = fixture_.indices("argmax");
    const std::vector<std::int64_t> ambiguous = fixture_.indices("ambiguous");
    fixture_.require(expected.size() == labels.size(), std::to_string(labels.size()) + " labels", "argmax");
    fixture_.require(ambiguous.size() == labels.size(), std::to_string(labels.size()) + " marks",
                     "ambiguous");
    ParityEntry entry{.name = "argmax (unambiguous pixels)"};
    for (std::size_t i = 0; i < expected.size(); ++i) {
      if (ambiguous[i] != 0) continue;
      ++entry.compared;
      if (labels[i] != expected[i]) entry.max_abs += 1;
    }
    entry.max_rel = entry.max_abs / static_cast<double>(std::max<std::size_t>(entry.compared, 1));
    add(std::move(entry));
  }

  const ParityFixture& fixture_;
  const std::map<std::string, HostTensor>& results_;
  ParityReport report_;
};

}  // namespace parity

}  // namespace dformer
