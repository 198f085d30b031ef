#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include <dformer/io/checkpoint.hpp>
#include <dformer/io/difference.hpp>
#include <dformer/io/host_tensor.hpp>

namespace dformer {

/// How far the result of one module is from the recorded one.
struct LayerDifference {
  std::string name;
  Shape shape;     ///< here, channels last
  Shape recorded;  ///< as the file has it
  bool same_shape = true;
  double max_abs = 0;  ///< the largest difference
  double max_rel = 0;  ///< the same over the largest recorded value
  double tolerance = 0;

  bool agrees() const { return same_shape && max_rel <= tolerance; }
};

/// In the order of computation, so the first that does not agree is where two implementations part.
struct LayerReport {
  std::vector<LayerDifference> layers;
  std::vector<std::string> only_here;
  std::vector<std::string> only_recorded;

  /// Null where all agree.
  const LayerDifference* first_divergence() const {
    const auto found = std::ranges::find_if_not(layers, &LayerDifference::agrees);
    return found == layers.end() ? nullptr : &*found;
  }
};

/// Compares the results of a network's modules, as they come, with arrays that another framework recorded
/// under the same names. An array may be channels last or channels first, [N, H, W, C] or [N, C, H, W], and
/// pixels may be one axis. Metadata `layout` (`channels_last`, `channels_first`) says which; where there is
/// none, the shape decides, and where it fits both ways, the reading that differs less. A name may lack its
/// ".weight".
class LayerComparison {
 public:
  /// `tolerance` is relative to the largest recorded value of a layer. Throws: ArgumentError for another
  /// layout.
  LayerComparison(const Checkpoint& recorded, double tolerance) : recorded_(recorded), tolerance_(tolerance) {
    const std::string layout = recorded.text("layout").value_or("");
    if (!layout.empty() && layout != "channels_first" && layout != "channels_last") {
      throw_argument_error("[" + recorded.path() +
                           "] layout channels_first or channels_last expected, got '" + layout + "'");
    }
    may_be_first_ = layout != "channels_last";
    may_be_last_ = layout != "channels_first";
  }

  void compare(const std::string& name, const parity::HostTensor& actual) {
    const TensorRecord* record = find(name);
    if (record == nullptr) {
      report_.only_here.push_back(name);
      return;
    }
    found_.insert(record->name);
    LayerDifference layer{.name = name,
                          .shape = actual.shape,
                          .recorded = record->shape,
                          .same_shape = false,
                          .tolerance = tolerance_};
    if (record->numel() == actual.shape.numel() && record->numel() > 0) {
      const std::vector<float> expected = record->to_float32();
      if ((may_be_last_ || actual.shape.rank() < 3) && reads_as_channels_last(record->shape, actual.shape))
        measure(layer, expected, [&](std::size_t i) { return actual.values[i]; });
      if (may_be_first_ && reads_as_channels_first(record->shape, actual.shape)) {
        measure(layer, expected,
                [&](std::size_t i) { return actual.at_channels_first(static_cast<std::int64_t>(i)); });
      }
    }
    report_.layers.push_back(std::move(layer));
  }

  /// Throws: ArgumentError where no array of the file belongs to a module of the network.
  LayerReport finish() {
    for (const TensorRecord& tensor : recorded_.tensors()) {
      if (!tensor.name.starts_with("input.") && !found_.contains(tensor.name))
        report_.only_recorded.push_back(tensor.name);
    }
    if (report_.layers.empty()) {
      throw_argument_error("[" + recorded_.path() + "] no array has the name of a module of this network" +
                           example_names());
    }
    return std::move(report_);
  }

 private:
  /// [N, pixels, C].
  static Shape with_pixels_last(const Shape& shape) {
    return {shape[0], shape.numel() / (shape[0] * shape.back()), shape.back()};
  }

  static bool reads_as_channels_last(const Shape& recorded, const Shape& actual) {
    if (recorded == actual) return true;
    const bool pixels_merged =
        recorded.rank() + actual.rank() == 7 && recorded.rank() >= 3 && actual.rank() >= 3;
    return pixels_merged && with_pixels_last(recorded) == with_pixels_last(actual);
  }
  static bool reads_as_channels_first(const Shape& recorded, const Shape& actual) {
    if (recorded.rank() < 3 || recorded.rank() > 4 || actual.rank() < 3 || actual.rank() > 4) return false;
    if (recorded.rank() == 4 && actual.rank() == 4 && (recorded[2] != actual[1] || recorded[3] != actual[2]))
      return false;
    return recorded[0] == actual[0] && recorded[1] == actual.back();  // and as many elements
  }

  const TensorRecord* find(const std::string& name) const {
    constexpr std::string_view ending = ".weight";
    const TensorRecord* record = recorded_.find(name);
    if (record != nullptr) return record;
    const std::size_t at = name.rfind(ending);  // "conv.weight#2" is "conv#2"
    return at == name.npos ? nullptr : recorded_.find(std::string(name).erase(at, ending.size()));
  }

  /// Keeps the smaller difference of those measured.
  template <class ValueAt>
  static void measure(LayerDifference& layer, std::span<const float> expected, const ValueAt& actual) {
    parity::Difference difference;
    for (std::size_t i = 0; i < expected.size(); ++i) difference.add(actual(i), expected[i]);
    if (layer.same_shape && layer.max_abs <= difference.max_abs) return;
    layer.same_shape = true;
    layer.max_abs = difference.max_abs;
    layer.max_rel = difference.max_rel();
  }

  std::string example_names() const {
    std::string text;
    for (const TensorRecord& tensor :
         recorded_.tensors().first(std::min<std::size_t>(recorded_.tensors().size(), 3)))
      text += (text.empty() ? "; it has '" : "', '") + tensor.name;
    return text + "' …; names are those of checkpoints, such as backbone.downsample_layers.0.0.weight";
  }

  const Checkpoint& recorded_;
  double tolerance_;
  bool may_be_first_;
  bool may_be_last_;
  std::unordered_set<std::string> found_;
  LayerReport report_;
};

}  // namespace dformer
