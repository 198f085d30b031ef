#pragma once

#include <cstdint>
#include <iterator>
#include <map>
#include <span>
#include <utility>

#include <dformer/backend/autodiff/tensor.hpp>
#include <dformer/backend/gradients.hpp>
#include <dformer/backend/shapes.hpp>
#include <dformer/core/error.hpp>

namespace dformer::autodiff {

/// sum += addend; in place where nobody else holds the sum.
template <class B>
void accumulate(typename B::Tensor& sum, typename B::Tensor addend) {
  if (!addend) return;
  if (!sum) {
    sum = std::move(addend);
    return;
  }
  if (!sum.is_shared()) {
    Gradients<B>::add_to(sum, addend);
  } else if (sum.elements() == sum.shape().numel()) {
    sum = B::add(sum, addend);
  } else {  // padded in memory, as packed weights are
    sum = Gradients<B>::scaled(sum, 1.0f);
    Gradients<B>::add_to(sum, addend);
  }
}

/// The gradients of leaves, in the layout of their values.
template <class B>
class LeafGradients {
 public:
  /// Empty where the leaf had no part in what was differentiated.
  typename B::Tensor of(const Tensor<B>& leaf) const {
    const auto found = gradients_.find(leaf.node().get());
    return found == gradients_.end() ? typename B::Tensor{} : found->second;
  }
  /// The same, and no longer kept here.
  typename B::Tensor take(const Tensor<B>& leaf) {
    auto found = gradients_.extract(leaf.node().get());
    return found.empty() ? typename B::Tensor{} : std::move(found.mapped());
  }
  bool empty() const { return gradients_.empty(); }
  void clear() { gradients_.clear(); }

 private:
  friend class Sweep<B>;
  std::map<const Node<B>*, typename B::Tensor> gradients_;
};

/// Walks from a result back to the leaves, each operation once and after all that used its result: in falling
/// order of their numbers. A gradient is released when its operation has consumed it, and with it what the
/// operation had saved.
template <class B>
class Sweep {
 public:
  using NodePointer = typename Node<B>::Pointer;

  explicit Sweep(LeafGradients<B>& leaves) : leaves_(leaves) {}

  void give(const NodePointer& node, typename B::Tensor gradient) {
    if (node->is_leaf()) {
      accumulate<B>(leaves_.gradients_[node.get()], std::move(gradient));
    } else {
      Pending& pending = pending_[node->number()];
      pending.node = node;
      accumulate<B>(pending.gradient, std::move(gradient));
    }
  }

  void run() {
    while (!pending_.empty()) {
      const Pending next = std::move(std::prev(pending_.end())->second);
      pending_.erase(std::prev(pending_.end()));
      if (next.node->swept_) {
        throw_argument_error(
            "[backward] this part of the computation has been swept already, and what it saved is released; "
            "run the forward pass again");
      }
      Parents<B> parents(*next.node, *this);
      next.node->step(next.gradient, parents);
      next.node->release_saved();
      next.node->swept_ = true;
      Node<B>::drop(std::exchange(next.node->parents_, {}));
    }
  }

  /// The gradients that a step inside this sweep adds to, for a step that sweeps a part of its own.
  LeafGradients<B>& leaves() { return leaves_; }

 private:
  struct Pending {
    NodePointer node;
    typename B::Tensor gradient{};
  };

  LeafGradients<B>& leaves_;
  std::map<std::uint64_t, Pending> pending_;
};

}  // namespace dformer::autodiff

namespace dformer {

/// A result and the gradient of a loss with respect to it, of its shape.
template <class B>
struct ResultGradient {
  autodiff::Tensor<B> y;
  typename B::Tensor dy;
};

/// Adds to `leaves` the gradients of a loss with respect to every leaf that had a part in the results. The
/// record is consumed. Throws: ShapeError; ArgumentError where a result is not tracked or was swept before.
template <class B>
void backward(std::span<const ResultGradient<B>> results, autodiff::LeafGradients<B>& leaves) {
  autodiff::Sweep<B> sweep(leaves);
  for (const auto& [y, dy] : results) {
    shapes::same("backward", y.shape(), dy.shape());
    if (!y.is_tracked()) {
      throw_argument_error("[backward] nothing that the result was made of is a parameter to train");
    }
    sweep.give(y.node(), dy);
  }
  sweep.run();
}
template <class B>
void backward(const autodiff::Tensor<B>& y, const typename B::Tensor& dy,
              autodiff::LeafGradients<B>& leaves) {
  const ResultGradient<B> result{y, dy};
  backward(std::span<const ResultGradient<B>>(&result, 1), leaves);
}

}  // namespace dformer
