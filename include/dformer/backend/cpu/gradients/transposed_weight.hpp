#pragma once

#include <cstdint>

#include <dformer/backend/cpu/kernels/gradients/kernels.hpp>
#include <dformer/backend/cpu/tensor.hpp>

namespace dformer::cpu {

/// A dense weight turned round, so that products with it go from output channels to inputs: the weight's
/// inputs (for a window: its taps, then the input channels) cut into `lines` equal parts, each packed as the
/// right-hand side of a matrix product of depth O. Shape: [lines, elements of one of them].
template <class T>
Tensor<T> transposed_weight(const Tensor<T>& weight, std::int64_t lines) {
  const std::int64_t channels = weight.shape()[0];
  const std::int64_t width = weight.shape().numel() / channels / lines;
  Tensor<T> turned(weight.device(), Shape{lines, panels_of(width) * panel_width * channels});
  const TransposeWeightArgs<T> args{weight.data(), channels, lines, width, turned.data()};
  const auto kernel = gradient_kernels<T>(weight.device().isa()).transpose_weight;
  weight.device().parallel_for(args.tasks(), [&](auto begin, auto end) { kernel(args, begin, end); });
  return turned;
}

}  // namespace dformer::cpu
