#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

/// An ONNX graph as plain values: what the Onnx backend records, and what `write_onnx` puts into a file.
namespace dformer::onnx {

/// The operator set that the nodes are of: the first with LayerNormalization.
inline constexpr std::int64_t opset = 17;

enum class ElementType : std::uint8_t { float32, int32 };

struct Attribute {
  std::string name;
  std::variant<std::int64_t, float, std::string, std::vector<std::int64_t>> value;
};

/// An operation with one result. Inputs are names of graph inputs, initializers or results; an empty one is
/// left out.
struct Node {
  std::string op;
  std::string name;
  std::vector<std::string> inputs;
  std::string output;
  std::vector<Attribute> attributes{};
};

/// A constant; its values are shared with the parameter that they come from.
struct Initializer {
  std::string name;
  std::vector<std::int64_t> dims;
  std::variant<std::shared_ptr<const std::vector<float>>, std::vector<std::int64_t>> values;
};

/// A number, or the name of one that is given when the model runs.
using Extent = std::variant<std::int64_t, std::string>;

struct GraphValue {
  std::string name;
  ElementType type = ElementType::float32;
  std::vector<Extent> extents;
  std::string description{};
};

struct Graph {
  std::string name;
  std::vector<GraphValue> inputs{};
  std::vector<GraphValue> outputs{};
  std::vector<Initializer> initializers{};
  std::vector<Node> nodes{};  ///< each after those whose results it takes
  std::vector<std::pair<std::string, std::string>> metadata{};
};

}  // namespace dformer::onnx
