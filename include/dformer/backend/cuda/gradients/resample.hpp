#pragma once

#include <cstdint>

#include <dformer/backend/cuda/kernels/gradients/resample.hpp>
#include <dformer/backend/cuda/tensor.hpp>
#include <dformer/backend/shapes.hpp>

namespace dformer::cuda {

/// Gradients of the resamplings: of an input [N, height, width, C], from those of the result. Throws:
/// ShapeError when dy is not [N, h, w, C] or an extent not positive.
template <class T>
struct ResampleGradientOps {
  static Tensor<T> adaptive_avg_pool(const Tensor<T>& dy, std::int64_t height, std::int64_t width) {
    const auto axis = [](std::int64_t input, std::int64_t output) {
      return PoolAxis{static_cast<int>(input), static_cast<int>(output)};
    };
    return gather("adaptive_avg_pool gradient", dy, height, width, axis);
  }

  static Tensor<T> resize_bilinear(const Tensor<T>& dy, std::int64_t height, std::int64_t width,
                                   bool align_corners) {
    const auto axis = [&](std::int64_t input, std::int64_t output) {
      return resize_axis(input, output, align_corners);
    };
    return gather("resize_bilinear gradient", dy, height, width, axis);
  }

 private:
  template <class MakeAxis>
  static Tensor<T> gather(const char* op, const Tensor<T>& dy, std::int64_t height, std::int64_t width,
                          const MakeAxis& axis) {
    const Shape shape = shapes::resized(op, dy.shape(), height, width);
    auto rows = axis(height, dy.shape()[1]), columns = axis(width, dy.shape()[2]);
    Tensor<T> dx(dy.device(), shape);
    resample_gradient(
        ResampleGradientArgs<T, decltype(rows)>{dy.data(), dx.data(), rows, columns, shape[0], shape[3]},
        dy.device().stream());
    return dx;
  }
};

}  // namespace dformer::cuda
