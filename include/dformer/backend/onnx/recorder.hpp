#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <variant>
#include <vector>

#include <dformer/backend/onnx/graph.hpp>

namespace dformer::onnx {

/// Writes a graph node by node. Everything is known by the name of its result. A node that is there already,
/// with the same inputs and attributes, is not added again, so nothing is transposed twice and blocks share
/// what they have in common.
class Recorder {
 public:
  using Dims = std::vector<std::int64_t>;
  using Values = std::shared_ptr<const std::vector<float>>;

  /// Adds a node, named after the module that it belongs to; gives the name of its result.
  std::string add(std::string_view op, std::string_view module, std::vector<std::string> inputs,
                  std::vector<Attribute> attributes = {}) {
    std::string& known = known_nodes_[key_of(op, inputs, attributes)];
    if (known.empty()) {
      known = unused_name((module.empty() ? std::string() : std::string(module) + "/") + std::string(op));
      graph_.nodes.push_back({std::string(op), known, std::move(inputs), known, std::move(attributes)});
    }
    return known;
  }

  /// A constant that no checkpoint holds. One with the same contents is not added again.
  std::string constant(std::string_view name, const Dims& dims, std::vector<float> values) {
    for (const Initializer& other : graph_.initializers) {
      const Values* there = std::get_if<Values>(&other.values);
      if (there != nullptr && made_here_.contains(other.name) && other.dims == dims && **there == values)
        return other.name;
    }
    const auto shared = std::make_shared<const std::vector<float>>(std::move(values));
    return *made_here_.insert(weight(name, {}, dims, shared)).first;
  }
  std::string scalar(std::string_view name, float value) { return constant(name, {}, {value}); }

  /// Axes, extents, indices: a list of integers, or a single one.
  std::string integers(const std::vector<std::int64_t>& values) {
    return integers(values, {static_cast<std::int64_t>(values.size())});
  }
  std::string integer(std::int64_t value) { return integers({value}, {}); }

  /// The constant that stands behind a parameter, with these dims. It is written with the dims of its first
  /// use; for a later one with others it is reshaped.
  std::string weight(std::string_view name, std::string_view module, const Dims& dims, const Values& values) {
    const auto [at, fresh] = places_.try_emplace(values.get(), graph_.initializers.size());
    if (fresh) {
      graph_.initializers.push_back({unused_name(name.empty() ? "weight" : std::string(name)), dims, values});
    }
    const Initializer there = graph_.initializers[at->second];
    return there.dims == dims ? there.name : add("Reshape", module, {there.name, integers(dims)});
  }

  std::string input(GraphValue value) {
    names_.insert(value.name);
    graph_.inputs.push_back(std::move(value));
    return graph_.inputs.back().name;
  }
  /// Makes the result of that name an output, under the output's own name.
  void output(std::string_view result, GraphValue value) {
    graph_.nodes.push_back({"Identity", value.name, {std::string(result)}, value.name});
    graph_.outputs.push_back(std::move(value));
  }

  Graph& graph() { return graph_; }

 private:
  std::string integers(const std::vector<std::int64_t>& values, const Dims& dims) {
    for (const Initializer& other : graph_.initializers) {
      const auto* there = std::get_if<std::vector<std::int64_t>>(&other.values);
      if (there != nullptr && other.dims == dims && *there == values) return other.name;
    }
    std::string name = "integers";
    for (const std::int64_t value : values) name += "_" + std::to_string(value);
    graph_.initializers.push_back({unused_name(name), dims, values});
    return graph_.initializers.back().name;
  }

  std::string unused_name(std::string wanted) {
    std::string name = wanted;
    for (int i = 1; !names_.insert(name).second; ++i) name = wanted + "_" + std::to_string(i);
    return name;
  }

  static std::string key_of(std::string_view op, const std::vector<std::string>& inputs,
                            const std::vector<Attribute>& attributes) {
    std::string key(op);
    for (const std::string& input : inputs) (key += '\n') += input;
    for (const Attribute& attribute : attributes) {
      ((key += '\n') += attribute.name) += '=';
      if (const auto* text = std::get_if<std::string>(&attribute.value)) key += *text;
      if (const auto* number = std::get_if<std::int64_t>(&attribute.value)) key += std::to_string(*number);
      if (const auto* real = std::get_if<float>(&attribute.value))
        key += std::to_string(std::bit_cast<std::uint32_t>(*real));
      if (const auto* list = std::get_if<std::vector<std::int64_t>>(&attribute.value)) {
        for (const std::int64_t each : *list) (key += std::to_string(each)) += ',';
      }
    }
    return key;
  }

  Graph graph_;
  std::map<std::string, std::string> known_nodes_;  // from a node's contents to its result
  std::map<const void*, std::size_t> places_;       // from a constant's elements to its initializer
  std::unordered_set<std::string> names_;
  std::unordered_set<std::string> made_here_;
};

}  // namespace dformer::onnx
