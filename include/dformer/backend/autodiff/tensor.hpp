#pragma once

#include <initializer_list>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include <dformer/backend/autodiff/node.hpp>
#include <dformer/core/shape.hpp>

namespace dformer::autodiff {

/// A tensor of B and, where a gradient is asked for, the operation that made it.
template <class B>
class Tensor {
 public:
  using Value = typename B::Tensor;
  using NodePointer = typename Node<B>::Pointer;

  Tensor() = default;
  /// A constant: nothing that is made of it alone is recorded.
  explicit Tensor(Value value) : value_(std::move(value)) {}
  Tensor(Value value, NodePointer node) : value_(std::move(value)), node_(std::move(node)) {}

  explicit operator bool() const { return static_cast<bool>(value_); }
  decltype(auto) shape() const { return value_.shape(); }
  decltype(auto) device() const { return value_.device(); }

  const Value& value() const { return value_; }
  const NodePointer& node() const { return node_; }
  bool is_tracked() const { return node_ != nullptr; }

 private:
  Value value_{};
  NodePointer node_;
};

template <class B>
bool any_tracked(std::initializer_list<const Tensor<B>*> operands) {
  for (const Tensor<B>* operand : operands) {
    if (operand->is_tracked()) return true;
  }
  return false;
}

/// The result `value` of an operation on `operands`, with its backward step, which numbers its operands in
/// their order here. Where no operand is tracked the step and what it saved are dropped.
template <class B, class Step>
Tensor<B> record(typename B::Tensor value, std::initializer_list<const Tensor<B>*> operands, Step step) {
  if (!any_tracked(operands)) return Tensor<B>(std::move(value));
  std::vector<typename Node<B>::Pointer> parents;
  parents.reserve(operands.size());
  for (const Tensor<B>* operand : operands) parents.push_back(operand->node());
  return {std::move(value), std::make_shared<Recorded<B, Step>>(std::move(parents), std::move(step))};
}

/// The same for operands that are counted at run time, `first`, then the others.
template <class B, class Step>
Tensor<B> record(typename B::Tensor value, std::span<const Tensor<B>> first,
                 std::initializer_list<const Tensor<B>*> others, Step step) {
  bool tracked = any_tracked(others);
  std::vector<typename Node<B>::Pointer> parents;
  parents.reserve(first.size() + others.size());
  for (const Tensor<B>& operand : first) {
    tracked = tracked || operand.is_tracked();
    parents.push_back(operand.node());
  }
  if (!tracked) return Tensor<B>(std::move(value));
  for (const Tensor<B>* operand : others) parents.push_back(operand->node());
  return {std::move(value), std::make_shared<Recorded<B, Step>>(std::move(parents), std::move(step))};
}

/// Handles of the values, without the record.
template <class B>
std::vector<typename B::Tensor> values_of(std::span<const Tensor<B>> tensors) {
  std::vector<typename B::Tensor> values;
  values.reserve(tensors.size());
  for (const Tensor<B>& tensor : tensors) values.push_back(tensor.value());
  return values;
}

}  // namespace dformer::autodiff
