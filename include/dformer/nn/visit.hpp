#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <dformer/nn/parameter.hpp>

namespace dformer {

/// A parameter and its name in the official checkpoints, such as "backbone.stages.2.5.attn.q_cut.weight".
template <class P>
struct Named {
  std::string name;
  P* parameter;
};

namespace detail {

/// The one visitor of modules: it flattens a network into its named parameters, and everything else
/// (counting, loading, saving, initialising) is an ordinary loop over that list, compiled once and not for
/// every network.
template <class P>
class ParameterCollector {
 public:
  explicit ParameterCollector(std::vector<Named<P>>& list) : list_(list) {}

  void operator()(std::string_view name, P& parameter) {
    list_.push_back({path_ + std::string(name), &parameter});
  }

  /// A child module; an empty name adds no level.
  template <class Module>
  requires requires(Module& module, ParameterCollector& self) {
    std::remove_const_t<Module>::visit(module, self);
  }
  void operator()(std::string_view name, Module& module) {
    const std::size_t length = path_.size();
    if (!name.empty()) (path_ += name) += '.';
    std::remove_const_t<Module>::visit(module, *this);
    path_.resize(length);
  }

  /// A run of equal children, named by their index, counted from `first`.
  template <class Modules>
  requires requires(Modules& modules) {
    modules.begin()->visit(*modules.begin(), std::declval<ParameterCollector&>());
  }
  void operator()(std::string_view name, Modules& modules, std::size_t first = 0) {
    const std::size_t length = path_.size();
    if (!name.empty()) (path_ += name) += '.';
    for (auto& module : modules) (*this)(std::to_string(first++), module);
    path_.resize(length);
  }

 private:
  std::vector<Named<P>>& list_;
  std::string path_;
};

}  // namespace detail

/// Every parameter, buffer and counter of a module, in the order of the official state dict.
template <class Module, class P = Parameter<typename Module::Backend>>
std::vector<Named<P>> parameters(Module& module) {
  std::vector<Named<P>> list;
  detail::ParameterCollector<P> collector(list);
  Module::visit(module, collector);
  return list;
}
template <class Module, class P = const Parameter<typename Module::Backend>>
std::vector<Named<P>> parameters(const Module& module) {
  std::vector<Named<P>> list;
  detail::ParameterCollector<P> collector(list);
  Module::visit(module, collector);
  return list;
}

/// Number of trained values, as papers count them.
template <class Module>
std::int64_t parameter_count(const Module& module) {
  std::int64_t count = 0;
  for (const auto& [name, parameter] : parameters(module)) {
    if (parameter->kind() == ParameterKind::trained) count += parameter->shape().numel();
  }
  return count;
}

/// The values of all parameters that have one, shared with the network.
template <class Module>
std::vector<typename Module::Tensor> values_of(const Module& module) {
  std::vector<typename Module::Tensor> values;
  for (const auto& [name, parameter] : parameters(module)) {
    if (parameter->has_value()) values.push_back(parameter->value());
  }
  return values;
}

/// The device that a network's parameters are on. Throws: UnsetParameterError where none has a value.
template <class Module>
typename Module::Backend::Device device_of(const Module& module) {
  for (const auto& [name, parameter] : parameters(module)) {
    if (parameter->has_value()) return parameter->value().device();
  }
  throw UnsetParameterError(
      "[device_of] no parameter has a value; call load(net, path) or initialize(net, seed) first");
}

}  // namespace dformer
