#pragma once

#include <span>
#include <string>
#include <type_traits>
#include <utility>

#include <dformer/backend/epilogue.hpp>
#include <dformer/backend/window.hpp>
#include <dformer/nn/bias.hpp>
#include <dformer/nn/parameter.hpp>

namespace dformer {

/// Stands where the number of channels is no part of the type but given when the layer is made.
inline constexpr int any_channels = 0;

/// A convolution over all channels, padded with zeros. Out may be any_channels: `Conv2d<B, 64, any_channels>
/// conv(13)`. Shapes: x [N, H, W, In] -> [N, H', W', Out]. Parameters: weight [Out, In, k, k], bias [Out] if
/// there is one.
template <class B, int In, int Out, Window window = Window{}, Bias bias_mode = Bias::with>
struct Conv2d {
  using Backend = B;
  using Tensor = typename B::Tensor;
  static constexpr bool has_bias = bias_mode == Bias::with;
  static constexpr bool pointwise = window == Window{};

  Parameter<B> weight;
  [[no_unique_address]] std::conditional_t<has_bias, Parameter<B>, Absent> bias;

  Conv2d() requires(Out != any_channels) : Conv2d(Out) {}
  /// Throws: ArgumentError for less than one channel, and where the type says another number.
  explicit Conv2d(int out)
      : weight(Shape{require_channels(out), In, window.kernel, window.kernel}, WeightLayout::dense),
        bias(make_bias(out)) {}

  /// The bias, if there is one, takes the place of the epilogue's shift.
  Tensor operator()(const Tensor& x, Epilogue<Tensor> epilogue = {}) const {
    if constexpr (has_bias) epilogue.shift = bias.value();
    return without_bias(std::span<const Tensor>(&x, 1), epilogue);
  }

  /// A 1x1 convolution takes several inputs as concatenated.
  Tensor with_bias(std::span<const Tensor> inputs) const {
    if constexpr (has_bias) return without_bias(inputs, {.shift = bias.value()});
    return without_bias(inputs, {});
  }

  /// The sums alone with another epilogue, for a following normalisation that takes the bias into its shift.
  /// A 1x1 convolution takes several inputs as concatenated.
  Tensor without_bias(std::span<const Tensor> inputs, const Epilogue<Tensor>& epilogue) const {
    if constexpr (pointwise) {
      return B::linear(inputs, weight.value(), epilogue);
    } else {
      return B::conv2d(inputs[0], weight.value(), window, epilogue);
    }
  }

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& visitor) {
    visitor("weight", self.weight);
    if constexpr (has_bias) visitor("bias", self.bias);
  }

 private:
  static auto make_bias(int out) {
    if constexpr (has_bias) {
      return Parameter<B>(Shape{out});
    } else {
      return Absent{};
    }
  }
  static int require_channels(int out) {
    if (Out != any_channels ? out == Out : out >= 1) return out;
    throw_argument_error(std::string("[Conv2d] ") +
                         (Out != any_channels ? std::to_string(Out) : std::string("1 or more")) +
                         " output channels expected, got " + std::to_string(out));
  }
};

/// One filter a channel, stride 1, the size kept.
/// Shapes: x [N, H, W, C] -> the same. Parameters: weight [C, 1, Kernel, Kernel], bias [C].
template <class B, int Channels, int Kernel>
struct DepthwiseConv2d {
  static_assert(Kernel % 2 == 1, "DepthwiseConv2d keeps the size of its input, so its kernel must be odd");
  using Backend = B;
  using Tensor = typename B::Tensor;

  Parameter<B> weight{Shape{Channels, 1, Kernel, Kernel}, WeightLayout::depthwise};
  Parameter<B> bias{Shape{Channels}};

  Tensor operator()(const Tensor& x, Epilogue<Tensor> epilogue = {}) const {
    epilogue.shift = bias.value();
    return B::depthwise_conv2d(x, weight.value(), Window{.kernel = Kernel, .padding = Kernel / 2}, epilogue);
  }

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& visitor) {
    visitor("weight", self.weight);
    visitor("bias", self.bias);
  }
};

}  // namespace dformer
