#pragma once

#include <cstddef>
#include <memory>
#include <tuple>
#include <utility>
#include <vector>

#include <dformer/backend/autodiff/stochastic.hpp>
#include <dformer/backend/autodiff/sweep.hpp>

/// Activation checkpointing (Chen et al., "Training deep nets with sublinear memory cost", 2016).
namespace dformer::autodiff {

/// Calls f on each tensor of what a block takes or gives. A struct of tensors has an overload of its own,
/// found beside its definition.
template <class B, class F>
void for_each_tensor(Tensor<B>& tensor, const F& f) {
  f(tensor);
}

/// Whether networks in training keep of each block only the inputs, on this thread.
inline bool& blocks_are_checkpointed() {
  thread_local bool checkpointed = false;
  return checkpointed;
}

/// While it lives they do, or do not.
class CheckpointBlocks {
 public:
  explicit CheckpointBlocks(bool checkpointed)
      : outer_(std::exchange(blocks_are_checkpointed(), checkpointed)) {}
  ~CheckpointBlocks() { blocks_are_checkpointed() = outer_; }
  CheckpointBlocks(const CheckpointBlocks&) = delete;
  CheckpointBlocks& operator=(const CheckpointBlocks&) = delete;

 private:
  bool outer_;
};

namespace detail {

/// The results' gradients, until all of them have come.
template <class B>
struct ResultGradients {
  std::vector<typename B::Tensor> of_results;
};

template <class B, class X>
std::vector<Tensor<B>> tensors_of(X x) {
  std::vector<Tensor<B>> list;
  for_each_tensor(x, [&](const Tensor<B>& tensor) { list.push_back(tensor); });
  return list;
}

/// Inputs as leaves of their own, or as constants where no gradient is asked for.
template <class B, class X>
void detach(X& x, const std::vector<bool>& tracked, std::size_t& index, std::vector<Tensor<B>>& leaves) {
  for_each_tensor(x, [&](Tensor<B>& tensor) {
    tensor =
        tracked[index++] ? Tensor<B>(tensor.value(), std::make_shared<Node<B>>()) : Tensor<B>(tensor.value());
    leaves.push_back(tensor);
  });
}

}  // namespace detail

/// f(inputs...), of whose record only the inputs are kept: backward computes f again, with the same random
/// numbers, and then sweeps it. Inputs and the result are tensors or structs of tensors.
template <class B, class F, class... Inputs>
auto checkpoint(const F& f, const Inputs&... inputs) {
  using T = Tensor<B>;
  const RandomStream random = forward_random();
  std::vector<typename Node<B>::Pointer> parents;
  std::vector<bool> tracked;
  std::tuple<Inputs...> constants(inputs...);
  std::apply(
      [&](auto&... each) {
        (for_each_tensor(each,
                         [&](T& tensor) {
                           parents.push_back(tensor.node());
                           tracked.push_back(tensor.is_tracked());
                           tensor = T(tensor.value());
                         }),
         ...);
      },
      constants);
  auto result = std::apply(f, constants);

  const auto gradients = std::make_shared<detail::ResultGradients<B>>();
  auto again = [f = &f, constants, tracked, random, gradients](const typename B::Tensor&, Parents<B>& to) {
    std::tuple<Inputs...> copies = constants;
    std::vector<T> leaves;
    std::size_t index = 0;
    std::apply([&](auto&... each) { (detail::detach<B>(each, tracked, index, leaves), ...); }, copies);
    std::vector<T> results;
    {
      const RepeatedForward repeated(random);
      results = detail::tensors_of<B>(std::apply(*f, copies));
    }
    LeafGradients<B>& all = to.leaves();
    Sweep<B> sweep(all);
    for (std::size_t i = 0; i < results.size(); ++i) {
      if (gradients->of_results[i] && results[i].is_tracked()) {
        sweep.give(results[i].node(), std::move(gradients->of_results[i]));
      }
    }
    results.clear();
    sweep.run();
    for (std::size_t i = 0; i < leaves.size(); ++i) {
      if (leaves[i].is_tracked()) to.give(i, all.take(leaves[i]));
    }
  };
  // Present though no input may be tracked: the parameters inside f are.
  parents.push_back(std::make_shared<Node<B>>());
  const auto hub = std::make_shared<Recorded<B, decltype(again)>>(std::move(parents), std::move(again));

  for_each_tensor(result, [&](T& tensor) {
    const std::size_t index = gradients->of_results.size();
    gradients->of_results.emplace_back();
    if (!tensor) return;
    auto keep = [gradients, index](const typename B::Tensor& dy, Parents<B>& to) {
      gradients->of_results[index] = dy;
      to.wake(0);
    };
    tensor = T(tensor.value(), std::make_shared<Recorded<B, decltype(keep)>>(
                                   std::vector<typename Node<B>::Pointer>{hub}, std::move(keep)));
  });
  return result;
}

}  // namespace dformer::autodiff
