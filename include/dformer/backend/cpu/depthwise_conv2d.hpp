#pragma once

#include <algorithm>
#include <cstdint>

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
    if (shape.numel() == 0) return y;
    const DepthwiseArgs<T> args{x.data(),
                                weight.data(),
                                y.data(),
                                operands,
                                window,
                                x.shape()[1],
                                x.shape()[2],
                                shape[3],
                                shape[1],
                                shape[2],
                                segment(window, shape)};
    const auto kernel = kernels<T>(x.device().isa()).depthwise_conv2d;
    x.device().parallel_for(shape[0] * args.segments() * shape[1],
                            [&](auto begin, auto end) { kernel(args, begin, end); });
    return y;
  }

 private:
  /// As many columns as leave room in a second cache of common size for all lines that a row reads and the
  /// next line.
  static std::int64_t segment(const Window& window, const Shape& y) {
    constexpr std::int64_t cache_bytes = 512 << 10;
    constexpr std::int64_t multiple = 40;  // of what any kernel does at once
    const std::int64_t column_bytes = (window.kernel + 1) * y[3] * static_cast<std::int64_t>(sizeof(T));
    return std::max<std::int64_t>(1, cache_bytes / column_bytes / multiple) * multiple;
  }
};

}  // namespace dformer::cpu
