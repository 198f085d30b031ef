#pragma once

#include <cstdint>

#include <dformer/nn/linear.hpp>

namespace dformer {

/// Two linear layers without biases, a ReLU between them. Shapes: x [..., Dim] -> the same. Parameters: 0, 2.
template <class B, int Dim, int HiddenDim>
struct BottleneckMlp {
  static_assert(HiddenDim >= 1, "BottleneckMlp: HiddenDim must be 1 or more");
  using Backend = B;
  using Tensor = typename B::Tensor;

  Linear<B, Dim, HiddenDim, Bias::without> linear0;
  Linear<B, HiddenDim, Dim, Bias::without> linear2;

  /// The epilogue is that of the second.
  Tensor operator()(const Tensor& x, const Epilogue<Tensor>& epilogue = {}) const {
    return linear2(linear0(x, {.activation = Activation::relu}), epilogue);
  }

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& visitor) {
    visitor("0", self.linear0);
    visitor("2", self.linear2);
  }
};

/// Local attention-guided feature selection (LAFS; AsymFormer, Du et al., CVPRW 2024): what the
/// mean over all pixels says of each channel selects channels and, by its products with them, pixels.
/// Shapes: x [N, H, W, Channels] -> the same. Parameters: fc_spatial, fc_channel.
template <class B, int Channels>
struct FeatureSelection {
  static_assert(Channels >= 16, "FeatureSelection: 16 channels or more, for a hidden layer of a 16th");
  using Backend = B;
  using Tensor = typename B::Tensor;

  BottleneckMlp<B, Channels, Channels / 16> fc_spatial;
  BottleneckMlp<B, Channels, Channels / 8> fc_channel;

  Tensor operator()(const Tensor& x) const {
    const Tensor mean = B::adaptive_avg_pool({&x, 1}, 1, 1);
    constexpr float area = static_cast<float>(Channels) * static_cast<float>(Channels);
    return B::gate(x, fc_spatial(mean), fc_channel(mean, {.activation = Activation::sigmoid}), 1.0f / area);
  }

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& visitor) {
    visitor("fc_spatial", self.fc_spatial);
    visitor("fc_channel", self.fc_channel);
  }
};

}  // namespace dformer
