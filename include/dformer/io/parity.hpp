#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <dformer/backend/observe.hpp>
#include <dformer/core/fill.hpp>
#include <dformer/io/parity_fixture.hpp>
#include <dformer/nn/initialize.hpp>
#include <dformer/nn/random_bases.hpp>
#include <dformer/nn/visit.hpp>

namespace dformer {

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
};

namespace parity {

/// A tensor on the host, channels last.
struct HostTensor {
  Shape shape;
  std::vector<float> values;

  /// The value at a flat index of the same tensor with channels first.
  float at_channels_first(std::int64_t index) const {
    const std::int64_t channels = shape.back();
    const std::int64_t pixels = shape.numel() / shape[0] / channels;
    const std::int64_t pixel = index % pixels;
    const std::int64_t channel = index / pixels % channels;
    const std::int64_t image = index / pixels / channels;
    return values[static_cast<std::size_t>((image * pixels + pixel) * channels + channel)];
  }
};

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
  ParityEntry entry{std::move(name), expected.size(), 0, 0, tolerance};
  double largest = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const double difference = std::abs(static_cast<double>(actual(i)) - static_cast<double>(expected[i]));
    entry.max_abs = std::isnan(difference) ? HUGE_VAL : std::max(entry.max_abs, difference);
    largest = std::max(largest, std::abs(static_cast<double>(expected[i])));
  }
  entry.max_rel = largest > 0 ? entry.max_abs / largest : entry.max_abs;
  return entry;
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
    const std::vector<float> expected = fixture_.values("logits");
    add(compare("logits", expected, fixture_.logits_tolerance,
                [&](std::size_t i) { return logits.at_channels_first(static_cast<std::int64_t>(i)); }));
  }

  void compare_taps() {
    if (fixture_.taps.empty()) return;
    const std::vector<float> values = fixture_.values("tap.values");
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
      const bool channels_last =
          tap.shape.numel() == actual.shape.numel() && tap.shape.back() == actual.shape.back() &&
          tap.name.starts_with("backbone.") && !tap.name.starts_with("backbone.downsample");
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
      const auto found = results_.find(feature_operation(level));
      if (found != results_.end()) {
        compare_samples("feat" + std::to_string(level), found->second, fixture_.feature_tolerances[level]);
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
    const std::vector<float> expected = fixture_.values(name + ".val");
    add(compare(name, expected, tolerance,
                [&](std::size_t i) { return actual.at_channels_first(indices[i]); }));
  }

  void compare_labels(std::span<const std::uint8_t> labels) {
    const std::vector<std::int64_t> expected = fixture_.indices("argmax");
    const std::vector<std::int64_t> ambiguous = fixture_.indices("ambiguous");
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

namespace parity {

/// [N, H, W, channels] of numbers drawn by name in the order of [N, channels, H, W], as the fixtures' inputs
/// are.
template <class B>
typename B::Tensor input(const ParityFixture& fixture, std::string_view name, std::int64_t channels,
                         float factor, const typename B::Device& device) {
  const Shape shape{fixture.input_shape[0], fixture.input_shape[2], fixture.input_shape[3], channels};
  const std::int64_t pixels = shape[1] * shape[2];
  std::vector<float> values(static_cast<std::size_t>(shape.numel()));
  const NamedStream stream(name, fixture.salt);
  for (std::int64_t i = 0; i < shape.numel(); ++i) {
    const std::int64_t image = i / (pixels * channels);
    const std::int64_t channel = i / pixels % channels;
    const auto place = static_cast<std::size_t>((image * pixels + i % pixels) * channels + channel);
    values[place] = factor * stream.symmetric(static_cast<std::uint64_t>(i));
  }
  return B::from_host(device, shape, values);
}

/// The Hamburger's bases of a fixture: a matrix for each image, drawn one behind the other.
template <class B>
typename B::Tensor bases(const ParityFixture& fixture, const Shape& one, const typename B::Device& device) {
  const Shape shape{fixture.input_shape[0], one[1], one[2]};
  std::vector<float> values(static_cast<std::size_t>(shape.numel()));
  random_bases(NamedStream("ham.bases", fixture.salt), static_cast<int>(one[1]), static_cast<int>(one[2]),
               values);
  return B::weight_from_host(device, WeightLayout::plain, shape, values);
}

}  // namespace parity

/// Fills the network and its inputs as the fixture says, runs it, and compares everything that was recorded.
/// The network's backend is Observe<B>, and it must be the model that the fixture names.
template <class Network>
ParityReport check_parity(
    Network& network, const ParityFixture& fixture,
    const typename Network::Backend::Device& device = Network::Backend::default_device()) {
  using B = typename Network::Backend;
  using Tensor = typename B::Tensor;
  const std::int64_t n = fixture.input_shape[0];
  const std::int64_t height = fixture.input_shape[2];
  const std::int64_t width = fixture.input_shape[3];

  fill_parameters(
      network,
      [&](std::string_view name, const Shape& shape, std::span<float> values) {
        fill_by_name(name, shape, values, fixture.salt);
      },
      device);
  std::unordered_map<const Tensor*, std::string> name_of;
  for (auto& [name, parameter] : parameters(network)) {
    if (parameter->kind() == ParameterKind::constant)
      parameter->set(parity::bases<B>(fixture, parameter->shape(), device));
    if (parameter->kind() != ParameterKind::counter) name_of.emplace(&parameter->value(), name);
  }

  const auto to_host = [](const Tensor& tensor) {
    parity::HostTensor host{tensor.shape(),
                            std::vector<float>(static_cast<std::size_t>(tensor.shape().numel()))};
    B::to_host(tensor, host.values);
    return host;
  };
  std::map<std::string, parity::HostTensor> results;
  auto keep = [&](const Tensor* weight, const Tensor& result) {
    if (const auto found = name_of.find(weight); found != name_of.end())
      results[found->second] = to_host(result);
  };
  const Tensor rgb = parity::input<B>(fixture, "input.rgb", 3, 2.0f, device);
  const Tensor depth = parity::input<B>(fixture, "input.depth", 1, 1.0f, device);
  const Tensor logits = [&] {
    const typename B::template Scope<decltype(keep)> scope(keep);
    return network(rgb, depth);
  }();
  std::vector<std::uint8_t> labels(static_cast<std::size_t>(n * height * width));
  B::labels_to_host(B::resize_argmax(logits, height, width), labels);
  return parity::Comparison(fixture, results)
      .report(to_host(logits), to_host(B::resize_bilinear(logits, height, width, false)), labels);
}

}  // namespace dformer
