#pragma once

#include <dformer/backend/cpu/epilogue.hpp>
#include <dformer/backend/cpu/kernels/kernels.hpp>
#include <dformer/backend/cpu/tensor.hpp>
#include <dformer/backend/shapes.hpp>
#include <dformer/backend/window.hpp>

namespace dformer::cpu {

template <class T>
struct DepthwiseOps {
  /// x [N, H, W, C] by weight [C, 1, k, k] gives [N, H', W', C]: each channel by its own filter. Throws:
  /// ShapeError.
  static Tensor<T> depthwise_conv2d(const Tensor<T>& x, const Tensor<T>& weight, const Window& window,
                                    const Epilogue<Tensor<T>>& epilogue) {
    const Shape shape = shapes::depthwise_conv2d(x.shape(), weight.shape(), window);
    const EpilogueArgs<T> operands = epilogue_args("depthwise_conv2d", shape, epilogue);
    Tensor<T> y(x.device(), shape);
    const DepthwiseArgs<T> args{x.data(),     weight.data(), y.data(), operands, window,
                                x.shape()[1], x.shape()[2],  shape[3], shape[1], shape[2]};
    const auto kernel = kernels<T>(x.device().isa()).depthwise_conv2d;
    x.device().parallel_for(shape[0] * shape[1], [&](auto begin, auto end) { kernel(args, begin, end); });
    return y;
  }
};

}  // namespace dformer::cpu
