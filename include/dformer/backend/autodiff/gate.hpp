#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <dformer/backend/autodiff/linear.hpp>
#include <dformer/backend/autodiff/pointwise.hpp>
#include <dformer/backend/autodiff/resample.hpp>
#include <dformer/backend/shapes.hpp>

namespace dformer::autodiff {

/// sigmoid(scale * sum_c x * spatial) * x * channel, put together from operations that have derivatives: sums
/// over channels, and one value for all channels, are products with ones. Half of the scale, which may be far
/// below 1, is multiplied in before the sums and half behind them, so that neither leaves half precision.
template <class B>
Tensor<B> gate(const Tensor<B>& x, const Tensor<B>& spatial, const Tensor<B>& channel, float scale) {
  using T = Tensor<B>;
  using Pointwise = PointwiseOps<B>;
  const Shape shape = shapes::gate(x.shape(), spatial.shape(), channel.shape());
  const std::vector<float> ones(static_cast<std::size_t>(shape[3]), 1.0f);
  const auto constant = [&](WeightLayout layout, const Shape& of, std::span<const float> values) {
    return T(B::weight_from_host(x.device(), layout, of, values));
  };
  const auto of_all_pixels = [&](const T& one) {
    return ResampleOps<B>::resize_bilinear(one, shape[1], shape[2], false);
  };
  const auto linear = [](const T& input, const T& weight, const Epilogue<T>& epilogue) {
    return LinearOps<B, true>::linear(std::span<const T>(&input, 1), weight, epilogue);
  };
  const float before = scale == 0.0f ? 1.0f : std::sqrt(std::abs(scale)), behind = scale / before;
  const std::vector<float> factors(ones.size(), before);
  const T scaled = Pointwise::scale_channels(spatial, constant(WeightLayout::plain, {shape[3]}, factors));
  const T map = linear(Pointwise::multiply(x, of_all_pixels(scaled)),
                       constant(WeightLayout::dense, {1, shape[3]}, ones),
                       {.scale = constant(WeightLayout::plain, {1}, std::span<const float>(&behind, 1)),
                        .activation = Activation::sigmoid});
  return linear(map, constant(WeightLayout::dense, {shape[3], 1}, ones),
                {.multiply = Pointwise::multiply(x, of_all_pixels(channel))});
}

}  // namespace dformer::autodiff
