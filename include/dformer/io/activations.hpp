#pragma once

#include <map>
#include <string>
#include <unordered_map>
#include <utility>

#include <dformer/backend/observe.hpp>
#include <dformer/io/host_tensor.hpp>
#include <dformer/nn/visit.hpp>

namespace dformer {

namespace detail {

/// A module's result has the name of its weight. The factorization has none, only its bases, which no
/// checkpoint holds: its result has the name of the official module, `hamburger.ham`.
inline std::string activation_name(const std::string& parameter, ParameterKind kind) {
  if (kind != ParameterKind::constant) return parameter;
  return parameter.substr(0, parameter.rfind('.') + 1) + "ham";
}

}  // namespace detail

/// Runs a network over Observe<B> and calls `seen(name, tensor)` with what each of its modules gives by
/// itself, in the order of computation, and last with "logits". A module that runs again has "#2", "#3" …
/// behind its name. Shapes: rgb [N, H, W, 3], depth [N, H, W, 1]; a seen tensor is channels last. Returns the
/// logits.
template <class Network, class Seen>
typename Network::Backend::Tensor observe_activations(const Network& network,
                                                      const typename Network::Backend::Tensor& rgb,
                                                      const typename Network::Backend::Tensor& depth,
                                                      const Seen& seen) {
  using B = typename Network::Backend;
  using Tensor = typename B::Tensor;
  std::unordered_map<const Tensor*, std::string> name_of;
  for (const auto& [name, parameter] : parameters(network)) {
    if (parameter->kind() != ParameterKind::counter)
      name_of.emplace(&parameter->value(), detail::activation_name(name, parameter->kind()));
  }
  std::map<std::string, int> runs;
  auto show = [&](const Tensor* weight, const Tensor& result) {
    const auto found = name_of.find(weight);
    if (found == name_of.end()) return;  // bases that were drawn for this one call
    const int run = ++runs[found->second];
    seen(run == 1 ? found->second : found->second + "#" + std::to_string(run), parity::to_host<B>(result));
  };
  Tensor logits;
  {
    const typename B::template Scope<decltype(show)> scope(show, Observed::modules);
    logits = network(rgb, depth);
  }
  seen(std::string("logits"), parity::to_host<B>(logits));
  return logits;
}

}  // namespace dformer
