#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <dformer/core/error.hpp>
#include <dformer/core/shape.hpp>
#include <dformer/io/checkpoint.hpp>

namespace dformer {

/// A recorded run of a reference implementation (docs/parity.md): a safetensors file whose metadata say which
/// model it was, how its parameters and inputs were filled, and how closely its outputs are to be met.
class ParityFixture {
 public:
  /// The output of one module: its official name and the shape it had there.
  struct Tap {
    std::string name;
    Shape shape;
  };

  /// Throws: CheckpointError; ArgumentError when the file is no fixture of a whole network's forward pass.
  explicit ParityFixture(const std::filesystem::path& path) : file_(path) {
    require(text("format").starts_with("dformer-golden-1"), "format dformer-golden-1", "format");
    require(text("mode") == "eval", "mode eval (a forward pass with running statistics)", "mode");
    salt = text("salt");
    decoder = file_.text("decoder").value_or("ham");
    const std::string title = text("model");
    model = title.substr(0, title.find(' '));
    input_shape = shape(json("input_shape"));
    require(input_shape.rank() == 4 && input_shape[1] == 3, "input_shape [N, 3, H, W]", "input_shape");
    num_classes = std::stoi(text("num_classes"));
    // The fixtures state this rule: 50 times the reference's own rounding and 1e-4 on top.
    logits_tolerance = 50 * std::stod(text("f64_maxabs_logits")) + 1e-4;
    for (const auto& noise : json("f64_maxabs_feats")) {
      feature_tolerances.push_back(50 * std::stod(noise.get<std::string>()) + 1e-4);
    }
    for (const auto& tap : json("taps")) taps.push_back({tap.at(0).get<std::string>(), shape(tap.at(1))});
  }

  std::string model;
  std::string decoder;
  std::string salt;
  Shape input_shape;  ///< [N, 3, H, W]
  int num_classes = 0;
  double logits_tolerance = 0;
  std::vector<double> feature_tolerances;
  std::vector<Tap> taps;

  bool has(std::string_view name) const { return file_.find(name) != nullptr; }
  /// Throws: ArgumentError when the fixture has no such tensor.
  std::vector<float> values(std::string_view name) const { return record(name).to_float32(); }
  std::vector<std::int64_t> indices(std::string_view name) const { return record(name).to_int64(); }

 private:
  const TensorRecord& record(std::string_view name) const {
    const TensorRecord* found = file_.find(name);
    require(found != nullptr, "a tensor of this name", name);
    return *found;
  }
  std::string text(std::string_view key) const {
    const auto value = file_.text(key);
    require(value.has_value(), "metadata of this name", key);
    return *value;
  }
  nlohmann::json json(std::string_view key) const {
    nlohmann::json value = nlohmann::json::parse(text(key), nullptr, false);
    require(value.is_array(), "a JSON array", key);
    return value;
  }
  Shape shape(const nlohmann::json& extents) const {
    Shape result;
    for (const auto& extent : extents) result.push_back(extent.get<std::int64_t>());
    return result;
  }
  void require(bool met, std::string_view what, std::string_view key) const {
    if (met) return;
    throw_argument_error("[" + file_.path() + "] expected " + std::string(what) + " under '" +
                         std::string(key) +
                         "'; only fixtures of a whole network's forward pass can be compared");
  }

  Checkpoint file_;
};

}  // namespace dformer
