#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <dformer/core/error.hpp>
#include <dformer/nn/visit.hpp>

namespace dformer {

/// Which parameters an optimiser updates, and which of those decay.
enum class ParameterPolicy {
  /// As DFormer's PyTorch code: weights of linear layers and convolutions decay, their biases and the weights
  /// and biases of norms do not, and everything else is never updated. That leaves out the layer scales, v1's
  /// layer norms and v2's geometry weights: a fine-tuned checkpoint has them as they were pre-trained.
  official,
  /// Everything is updated; what has two axes or more decays. As DFormer-Jittor does.
  full,
  /// Everything is updated and decays. As AsymFormer's code does.
  full_decay,
};

/// The parameters of a network that are trained, in the order of its state dict, which is also the order in
/// which the official optimiser numbers them. Buffers, counters and constants are in no group.
template <class P>
struct ParameterGroups {
  std::vector<Named<P>> decay{};
  std::vector<Named<P>> no_decay{};
  std::vector<Named<P>> left_out{};  ///< keep the values that they have
};

namespace detail {

/// The official rule goes by the class of a module. A flag on every parameter could carry that, but the list
/// of parameters already tells: a weight in the layout of a matrix product belongs to a linear layer or a
/// convolution, a layer with running statistics is a batch norm, a weight with a bias beside it and neither
/// of these is a layer norm, and nothing else (`layer_scale_1`, `gamma_1`, `Geo.weight`) has such a pair. So
/// layers need to know nothing of optimisers.
class OfficialRule {
 public:
  template <class P>
  explicit OfficialRule(const std::vector<Named<P>>& list) {
    for (const auto& [name, parameter] : list) {
      Layer& layer = layers_[std::string(layer_of(name))];
      if (leaf_of(name) == "weight") {
        layer.has_weight = true;
        layer.is_product = parameter->layout() != WeightLayout::plain;
      }
      if (leaf_of(name) == "bias") layer.has_bias = true;
      if (leaf_of(name) == "running_mean") layer.has_statistics = true;
    }
  }

  template <class P>
  std::vector<Named<P>>& group_of(const Named<P>& entry, ParameterGroups<P>& groups) const {
    if (entry.parameter->layout() != WeightLayout::plain) return groups.decay;
    const std::string_view name = layer_of(entry.name);
    const Layer& layer = layers_.find(name)->second;
    const std::string_view leaf = leaf_of(entry.name);
    if (leaf == "bias" && layer.is_product) return groups.no_decay;
    const bool of_a_pair = layer.has_weight && layer.has_bias && (leaf == "weight" || leaf == "bias");
    const bool trained = of_a_pair && (layer.has_statistics || !is_own_layer_norm(name));
    return trained ? groups.no_decay : groups.left_out;
  }

 private:
  struct Layer {
    bool has_weight = false;
    bool has_bias = false;
    bool has_statistics = false;
    bool is_product = false;
  };

  /// v1 has a layer norm class of its own, which the official optimiser does not know. Here it is the same
  /// type as everybody's, and told apart as in checkpoints: v1 calls it `norm` and `norm_e`, v2 has PyTorch's
  /// as `layer_norm1` and `extra_norms.0`.
  static bool is_own_layer_norm(std::string_view layer) {
    const std::string_view name = leaf_of(layer);
    return name == "norm" || name == "norm_e";
  }
  /// "a.b" of "a.b.weight"; nothing of "weight".
  static std::string_view layer_of(std::string_view name) {
    const std::size_t dot = name.rfind('.');
    return dot == name.npos ? std::string_view() : name.substr(0, dot);
  }
  static std::string_view leaf_of(std::string_view name) {
    return name.substr(name.rfind('.') + 1);  // npos + 1 is 0
  }

  std::map<std::string, Layer, std::less<>> layers_;
};

}  // namespace detail

/// Sorts what `parameters(net)` lists into the groups of an optimiser.
template <class P>
ParameterGroups<P> group_parameters(const std::vector<Named<P>>& list, ParameterPolicy policy) {
  ParameterGroups<P> groups;
  const detail::OfficialRule official(list);
  for (const Named<P>& entry : list) {
    if (entry.parameter->kind() != ParameterKind::trained) continue;
    if (policy == ParameterPolicy::official) {
      official.group_of(entry, groups).push_back(entry);
    } else {
      const bool decays = policy == ParameterPolicy::full_decay || entry.parameter->shape().rank() >= 2;
      (decays ? groups.decay : groups.no_decay).push_back(entry);
    }
  }
  return groups;
}

constexpr std::string_view to_string(ParameterPolicy policy) {
  switch (policy) {
    case ParameterPolicy::official:
      return "official";
    case ParameterPolicy::full:
      return "full";
    case ParameterPolicy::full_decay:
      break;
  }
  return "full_decay";
}

/// Throws: ArgumentError.
inline ParameterPolicy parse_parameter_policy(std::string_view word) {
  for (const ParameterPolicy policy :
       {ParameterPolicy::official, ParameterPolicy::full, ParameterPolicy::full_decay}) {
    if (word == to_string(policy)) return policy;
  }
  throw_argument_error("[parameter policy] expected official, full or full_decay, got '" + std::string(word) +
                       "'");
}

}  // namespace dformer
