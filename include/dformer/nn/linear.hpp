#pragma once

#include <initializer_list>
#include <span>
#include <type_traits>
#include <utility>

#include <dformer/backend/epilogue.hpp>
#include <dformer/nn/bias.hpp>
#include <dformer/nn/parameter.hpp>

namespace dformer {

/// y = x W^T + b over the last axis; several inputs are taken as concatenated.
/// Shapes: x [..., In] (or [..., In_i] with sum In) -> [..., Out]. Parameters: weight [Out, In], bias [Out]
/// if there is one.
template <class B, int In, int Out, Bias bias_mode = Bias::with>
struct Linear {
  using Backend = B;
  using Tensor = typename B::Tensor;
  static constexpr bool has_bias = bias_mode == Bias::with;

  Parameter<B> weight{Shape{Out, In}, WeightLayout::dense};
  [[no_unique_address]] std::conditional_t<has_bias, Parameter<B>, Absent> bias;

  Linear() : bias(make_bias()) {}

  /// The bias, if there is one, takes the place of the epilogue's shift.
  Tensor operator()(std::span<const Tensor> inputs, Epilogue<Tensor> epilogue = {}) const {
    if constexpr (has_bias) epilogue.shift = bias.value();
    return without_bias(inputs, epilogue);
  }
  Tensor operator()(std::initializer_list<Tensor> inputs, Epilogue<Tensor> epilogue = {}) const {
    return (*this)(std::span<const Tensor>(inputs.begin(), inputs.size()), std::move(epilogue));
  }
  Tensor operator()(const Tensor& x, Epilogue<Tensor> epilogue = {}) const {
    return (*this)(std::span<const Tensor>(&x, 1), std::move(epilogue));
  }

  Tensor with_bias(std::span<const Tensor> inputs) const { return (*this)(inputs); }
  /// The sums alone with another epilogue, for a following normalisation that takes the bias into its shift.
  Tensor without_bias(std::span<const Tensor> inputs, const Epilogue<Tensor>& epilogue) const {
    return B::linear(inputs, weight.value(), epilogue);
  }

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& visitor) {
    visitor("weight", self.weight);
    if constexpr (has_bias) visitor("bias", self.bias);
  }

 private:
  static auto make_bias() {
    if constexpr (has_bias) {
      return Parameter<B>(Shape{Out});
    } else {
      return Absent{};
    }
  }
};

}  // namespace dformer
