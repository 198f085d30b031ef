#pragma once

#include <initializer_list>
#include <span>

#include <dformer/backend/epilogue.hpp>
#include <dformer/nn/parameter.hpp>

namespace dformer {

/// y = x W^T + b over the last axis; several inputs are taken as concatenated.
/// Shapes: x [..., In] (or [..., In_i] with sum In) -> [..., Out]. Parameters: weight [Out, In], bias [Out].
template <class B, int In, int Out>
struct Linear {
  using Backend = B;
  using Tensor = typename B::Tensor;

  Parameter<B> weight{Shape{Out, In}, WeightLayout::dense};
  Parameter<B> bias{Shape{Out}};

  /// The bias takes the place of the epilogue's shift.
  Tensor operator()(std::span<const Tensor> inputs, Epilogue<Tensor> epilogue = {}) const {
    epilogue.shift = bias.value();
    return B::linear(inputs, weight.value(), epilogue);
  }
  Tensor operator()(std::initializer_list<Tensor> inputs, Epilogue<Tensor> epilogue = {}) const {
    return (*this)(std::span<const Tensor>(inputs.begin(), inputs.size()), std::move(epilogue));
  }
  Tensor operator()(const Tensor& x, Epilogue<Tensor> epilogue = {}) const {
    return (*this)(std::span<const Tensor>(&x, 1), std::move(epilogue));
  }

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& visitor) {
    visitor("weight", self.weight);
    visitor("bias", self.bias);
  }
};

}  // namespace dformer
