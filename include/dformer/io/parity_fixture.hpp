#pragma once

#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <dformer/core/error.hpp>
#include <dformer/core/shape.hpp>
#include <dformer/io/checkpoint.hpp>
#include <dformer/io/json_cursor.hpp>

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
    for_each("input_shape", [&](io::JsonCursor& cursor) {
      require(input_shape.rank() < 4, "four extents", "input_shape");
      input_shape.push_back(cursor.integer());
    });
    require(is_image(input_shape), "[N, 3, H, W] of at most 2^28 values", "input_shape");
    // A label for each pixel: so the file itself says how large a run it is worth.
    const TensorRecord& labels = record("argmax");
    require(labels.numel() == input_shape.numel() / 3 && labels.contiguous(), "a label for each pixel",
            "argmax");
    const double classes = number("num_classes", text("num_classes"));
    require(classes >= 2 && classes <= 255 && classes == std::floor(classes), "2 to 255", "num_classes");
    num_classes = static_cast<int>(classes);
    // The fixtures state this rule: 50 times the reference's own rounding and 1e-4 on top.
    logits_tolerance = 50 * number("f64_maxabs_logits", text("f64_maxabs_logits")) + 1e-4;
    for_each("f64_maxabs_feats", [&](io::JsonCursor& cursor) {
      feature_tolerances.push_back(50 * number("f64_maxabs_feats", cursor.string()) + 1e-4);
    });
    for_each("taps", [&](io::JsonCursor& cursor) {
      cursor.expect('[');
      Tap tap{cursor.string(), {}};
      cursor.expect(',');
      tap.shape = shape(cursor);
      cursor.expect(']');
      taps.push_back(std::move(tap));
    });
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
  /// Throws: ArgumentError when the fixture has no such tensor of that many values.
  std::vector<float> values(std::string_view name, std::size_t count) const {
    const TensorRecord& tensor = record(name);
    require(static_cast<std::size_t>(tensor.numel()) == count, std::to_string(count) + " values", name);
    return tensor.to_float32();
  }
  /// Throws: ArgumentError when the fixture has no such tensor, or it holds other than integers.
  std::vector<std::int64_t> indices(std::string_view name) const { return record(name).to_int64(); }

  /// Throws: ArgumentError that `what` was expected under `key`, unless `met`.
  void require(bool met, std::string_view what, std::string_view key) const {
    if (met) return;
    throw_argument_error("[" + file_.path() + "] expected " + std::string(what) + " under '" +
                         std::string(key) +
                         "'; only fixtures of a whole network's forward pass can be compared");
  }

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
  /// Calls `each(cursor)` for every element of the JSON array under `key`; nothing where there is none.
  template <class Each>
  void for_each(std::string_view key, const Each& each) const {
    const std::string json = file_.text(key).value_or("[]");
    io::JsonCursor cursor(json, file_.path(), CheckpointError::no_offset,
                          "the metadata under '" + std::string(key) + "'");
    cursor.array([&] { each(cursor); });
    cursor.expect_end();
  }
  double number(std::string_view key, const std::string& text) const {
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    require(error == std::errc() && end == text.data() + text.size(), "a number", key);
    return value;
  }
  static Shape shape(io::JsonCursor& cursor) {
    Shape result;
    cursor.array([&] {
      if (result.rank() == Shape::max_rank) cursor.fail("a shape has too many extents");
      result.push_back(cursor.integer());
    });
    return result;
  }
  static bool is_image(const Shape& shape) {
    if (shape.rank() != 4 || shape[1] != 3 || !shape.is_valid()) return false;
    return shape.numel() > 0 && shape.numel() <= std::int64_t{1} << 28;
  }

  Checkpoint file_;
};

}  // namespace dformer
