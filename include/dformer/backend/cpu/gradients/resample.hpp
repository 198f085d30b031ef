#pragma once

#include <algorithm>
#include <cstdint>

#include <dformer/backend/cpu/kernels/gradients/kernels.hpp>
#include <dformer/backend/cpu/resample.hpp>
#include <dformer/backend/cpu/tensor.hpp>
#include <dformer/backend/shapes.hpp>

namespace dformer::cpu {

/// One axis of a resampling from the side of the input: what each input row gave to which rows of the result.
template <class T>
struct ResampleAxis {
  Tensor<ResampleSpan> spans;
  Tensor<T> weights;
};

/// Of resize_bilinear's taps. The rows that an input row gave to are neighbours.
template <class T>
ResampleAxis<T> resize_axis(const Device& device, std::int64_t input, std::int64_t output,
                            bool align_corners) {
  const Tensor<ResizeTap> taps = resize_taps(device, input, output, align_corners);
  const auto last_row = [&](std::int32_t at) {
    const ResizeTap& tap = taps.data()[at];
    return tap.weight > 0 ? tap.second : tap.first;
  };
  ResampleAxis<T> axis{Tensor<ResampleSpan>(device, Shape{input}), Tensor<T>(device, Shape{2 * output})};
  std::int32_t used = 0, start = 0;
  for (std::int32_t i = 0; i < input; ++i) {
    while (start < output && last_row(start) < i) ++start;
    std::int32_t end = start;
    for (; end < output && taps.data()[end].first <= i; ++end) {
      const ResizeTap& tap = taps.data()[end];
      const T weight = static_cast<T>(tap.weight);
      axis.weights.data()[used + end - start] =
          (tap.first == i ? T(1) - weight : T(0)) + (tap.second == i ? weight : T(0));
    }
    axis.spans.data()[i] = {start, end - start, used};
    used += end - start;
  }
  return axis;
}

/// Of adaptive_avg_pool's windows, which overlap where the extents do not divide.
template <class T>
ResampleAxis<T> pool_axis(const Device& device, std::int64_t input, std::int64_t output) {
  const auto window_start = [&](std::int64_t i) { return i * input / output; };
  const auto window_end = [&](std::int64_t i) { return ((i + 1) * input + output - 1) / output; };
  ResampleAxis<T> axis{Tensor<ResampleSpan>(device, Shape{input}),
                       Tensor<T>(device, Shape{input + 2 * output})};
  std::int32_t used = 0, start = 0;
  for (std::int32_t i = 0; i < input; ++i) {
    while (window_end(start) <= i) ++start;
    std::int32_t end = start;
    for (; end < output && window_start(end) <= i; ++end) {
      axis.weights.data()[used + end - start] = T(1) / static_cast<T>(window_end(end) - window_start(end));
    }
    axis.spans.data()[i] = {start, end - start, used};
    used += end - start;
  }
  return axis;
}

/// Gradients of the resamplings: of an input [N, height, width, C], from those of the result. Throws:
/// ShapeError when dy is not [N, h, w, C] or an extent not positive.
template <class T>
struct ResampleGradientOps {
  static Tensor<T> adaptive_avg_pool(const Tensor<T>& dy, std::int64_t height, std::int64_t width) {
    const Shape shape = shapes::resized("adaptive_avg_pool gradient", dy.shape(), height, width);
    return gather(dy, shape, pool_axis<T>(dy.device(), height, dy.shape()[1]),
                  pool_axis<T>(dy.device(), width, dy.shape()[2]));
  }

  static Tensor<T> resize_bilinear(const Tensor<T>& dy, std::int64_t height, std::int64_t width,
                                   bool align_corners) {
    const Shape shape = shapes::resized("resize_bilinear gradient", dy.shape(), height, width);
    return gather(dy, shape, resize_axis<T>(dy.device(), height, dy.shape()[1], align_corners),
                  resize_axis<T>(dy.device(), width, dy.shape()[2], align_corners));
  }

 private:
  static Tensor<T> gather(const Tensor<T>& dy, const Shape& shape, const ResampleAxis<T>& rows,
                          const ResampleAxis<T>& columns) {
    Tensor<T> dx(dy.device(), shape);
    const ResampleGradientArgs<T> args{dy.data(),
                                       dx.data(),
                                       rows.spans.data(),
                                       columns.spans.data(),
                                       rows.weights.data(),
                                       columns.weights.data(),
                                       shape[1],
                                       shape[2],
                                       shape[3],
                                       dy.shape()[1],
                                       dy.shape()[2]};
    const auto kernel = gradient_kernels<T>(dy.device().isa()).resample;
    dy.device().parallel_for(shape.rows(), [&](auto begin, auto end) { kernel(args, begin, end); });
    return dx;
  }
};

}  // namespace dformer::cpu
