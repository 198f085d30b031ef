#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace dformer::autodiff {

template <class B>
class Sweep;
template <class B>
class Parents;
template <class B>
class LeafGradients;

/// One recorded operation, or a leaf: a value whose gradient is asked for. It knows the operations that made
/// its operands, and how to give them their share of a gradient.
template <class B>
class Node {
 public:
  using Pointer = std::shared_ptr<Node>;
  using Value = typename B::Tensor;

  /// `parents` has a null where an operand needs no gradient.
  explicit Node(std::vector<Pointer> parents = {}) : parents_(std::move(parents)), number_(next_number()) {}
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;
  virtual ~Node() { drop(std::move(parents_)); }

  bool is_leaf() const { return parents_.empty() && !swept_; }
  /// Parents have smaller numbers than what was made of them.
  std::uint64_t number() const { return number_; }
  bool is_swept() const { return swept_; }

 private:
  friend class Sweep<B>;
  friend class Parents<B>;

  virtual void step(const Value&, Parents<B>&) {}
  virtual void release_saved() {}

  static std::uint64_t next_number() {
    static std::atomic<std::uint64_t> last{0};
    return last.fetch_add(1, std::memory_order_relaxed) + 1;
  }

  /// Lets go of nodes one by one: left to their destructors, a deep network would be a deep recursion.
  static void drop(std::vector<Pointer> pending) {
    while (!pending.empty()) {
      const Pointer node = std::move(pending.back());
      pending.pop_back();
      if (node == nullptr || node.use_count() != 1) continue;
      for (Pointer& parent : node->parents_) pending.push_back(std::move(parent));
      node->parents_.clear();
    }
  }

  std::vector<Pointer> parents_;
  std::uint64_t number_;
  bool swept_ = false;
};

/// Where a backward step puts the gradients of its operands.
template <class B>
class Parents {
 public:
  Parents(const Node<B>& node, Sweep<B>& sweep) : node_(node), sweep_(sweep) {}

  bool needs(std::size_t operand) const { return node_.parents_[operand] != nullptr; }
  void give(std::size_t operand, typename B::Tensor gradient) {
    if (needs(operand)) sweep_.give(node_.parents_[operand], std::move(gradient));
  }
  /// Lets an operand take its step, which has its gradient from elsewhere.
  void wake(std::size_t operand) {
    if (needs(operand)) sweep_.give(node_.parents_[operand], typename B::Tensor{});
  }
  LeafGradients<B>& leaves() { return sweep_.leaves(); }

  /// Computes a gradient only where it is needed.
  template <class Compute>
  requires requires(const Compute& compute) { compute(); }
  void give(std::size_t operand, const Compute& compute) {
    if (needs(operand)) sweep_.give(node_.parents_[operand], compute());
  }

 private:
  const Node<B>& node_;
  Sweep<B>& sweep_;
};

/// A node whose step is a function `step(dy, parents)` with what it saved.
template <class B, class Step>
class Recorded final : public Node<B> {
 public:
  Recorded(std::vector<typename Node<B>::Pointer> parents, Step step)
      : Node<B>(std::move(parents)), step_(std::make_unique<Step>(std::move(step))) {}

 private:
  void step(const typename B::Tensor& dy, Parents<B>& parents) override { (*step_)(dy, parents); }
  void release_saved() override { step_.reset(); }

  std::unique_ptr<Step> step_;
};

}  // namespace dformer::autodiff
