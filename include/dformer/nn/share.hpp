#pragma once

#include <cstddef>
#include <string>

#include <dformer/core/error.hpp>
#include <dformer/nn/visit.hpp>

namespace dformer {

namespace detail {

/// A tensor of B as the backend that B records, or B itself.
template <class B>
const auto& plain_value(const typename B::Tensor& tensor) {
  if constexpr (requires { typename B::Inner; }) {
    return tensor.value();
  } else {
    return tensor;
  }
}

}  // namespace detail

/// Makes the parameters of `to` those of `from`, in the same memory: what trains one changes the other. So
/// the network that infers is made from the one that trains, once,
///
///     DFormer_Tiny<Autodiff<Cpu<>>> training;
///     DFormer_Tiny<Cpu<>> net;
///     share_parameters(training, net);
///
/// and is evaluated at any time. It is to be done again after load() or initialize() gave `from` new tensors.
/// Constants (the Hamburger's bases) are shared as well. Throws: ArgumentError where the two networks do not
/// have the same parameters; UnsetParameterError where `from` has no values.
template <class From, class To>
void share_parameters(From& from, To& to) {
  using FromBackend = typename From::Backend;
  using ToBackend = typename To::Backend;
  const auto sources = parameters(from);
  const auto targets = parameters(to);
  bool same = sources.size() == targets.size();
  for (std::size_t i = 0; same && i < sources.size(); ++i) {
    same =
        sources[i].name == targets[i].name && sources[i].parameter->shape() == targets[i].parameter->shape();
  }
  if (!same) {
    throw_argument_error("[share_parameters] the two networks must be of one type, but for the backend");
  }
  for (std::size_t i = 0; i < sources.size(); ++i) {
    const auto& source = *sources[i].parameter;
    if (source.kind() == ParameterKind::counter) {
      targets[i].parameter->set_count(source.count());
    } else {
      targets[i].parameter->set(typename ToBackend::Tensor(detail::plain_value<FromBackend>(source.value())));
    }
  }
}

}  // namespace dformer
