#pragma once

#include <algorithm>
#include <cstdint>

#include <dformer/backend/cpu/depthwise_conv2d.hpp>
#include <dformer/backend/cpu/kernels/gradients/kernels.hpp>
#include <dformer/backend/cpu/packing.hpp>
#include <dformer/backend/cpu/tensor.hpp>
#include <dformer/backend/gradient_shapes.hpp>

namespace dformer::cpu {

template <class T>
struct DepthwiseGradientOps {
  /// dy [N, H', W', C] by weight [C, 1, k, k] gives the gradient of x [N, H, W, C], whose shape is given.
  /// Throws: ShapeError.
  static Tensor<T> depthwise_conv2d_input(const Tensor<T>& dy, const Tensor<T>& weight, const Window& window,
                                          const Shape& x) {
    const Shape shape = shapes::depthwise_conv2d_input(dy.shape(), weight.shape(), window, x);
    const int padding = window.dilation * (window.kernel - 1) - window.padding;
    if (window.stride == 1 && padding >= 0 && shape.numel() > 0) {
      return DepthwiseOps<T>::depthwise_conv2d(dy, flipped(weight),
                                               {window.kernel, 1, padding, window.dilation}, {});
    }
    Tensor<T> dx(dy.device(), shape);
    const DepthwiseInputArgs<T> args{dy.data(), weight.data(), dx.data(),     window,       shape[1],
                                     shape[2],  shape[3],      dy.shape()[1], dy.shape()[2]};
    const auto kernel = gradient_kernels<T>(dy.device().isa()).depthwise_input;
    dy.device().parallel_for(shape[0] * shape[1], [&](auto begin, auto end) { kernel(args, begin, end); });
    return dx;
  }

  /// x [N, H, W, C] and dy [N, H', W', C] give the gradient of a weight of shape [C, 1, k, k], packed as the
  /// weight is. Throws: ShapeError.
  static Tensor<T> depthwise_conv2d_weight(const Tensor<T>& x, const Tensor<T>& dy, const Window& window,
                                           const Shape& weight) {
    const Shape shape = shapes::depthwise_conv2d_weight(x.shape(), dy.shape(), window, weight);
    const Device& device = dy.device();
    Tensor<T> dw(device, shape);
    DepthwiseWeightArgs<T> args{x.data(),     dy.data(),    nullptr,      window,        x.shape()[0],
                                x.shape()[1], x.shape()[2], x.shape()[3], dy.shape()[1], dy.shape()[2]};
    cut(args);
    Tensor<T> parts(device, Shape{args.parts(), shape.numel()});
    args.sums = parts.data();
    const auto& kernels = gradient_kernels<T>(device.isa());
    device.parallel_for(args.tasks(),
                        [&](auto begin, auto end) { kernels.depthwise_weight(args, begin, end); });
    const SumPartsArgs<T> all{parts.data(), args.parts(), shape.numel(), dw.data()};
    device.parallel_for(all.tasks(), [&](auto begin, auto end) { kernels.sum_parts(all, begin, end); });
    return dw;
  }

 private:
  /// The filters turned by half a circle.
  static Tensor<T> flipped(const Tensor<T>& weight) {
    Tensor<T> result(weight.device(), weight.shape());
    const std::int64_t channels = weight.shape()[0];
    const std::int64_t taps = weight.shape().numel() / channels;
    for (std::int64_t tap = 0; tap < taps; ++tap)
      std::copy_n(weight.data() + tap * channels, channels, result.data() + (taps - 1 - tap) * channels);
    return result;
  }

  /// Into tasks, by the shapes alone. The sums of a block of channels stay in the first cache, and a segment
  /// is so long that all lines which a row reads, and the next, stay in the second.
  static void cut(DepthwiseWeightArgs<T>& args) {
    constexpr std::int64_t tasks = 32;
    constexpr std::int64_t least_rows = 4;
    constexpr std::int64_t multiple = 64;  // of channels
    constexpr std::int64_t sums_bytes = 24 << 10;
    constexpr std::int64_t lines_bytes = 512 << 10;
    const auto size = static_cast<std::int64_t>(sizeof(T));
    const std::int64_t kernel = args.window.kernel;
    const std::int64_t fitting = std::max<std::int64_t>(1, sums_bytes / (kernel * kernel * size) / multiple);
    const std::int64_t units = (args.channels + multiple - 1) / multiple;
    args.blocks = (units + fitting - 1) / fitting;
    args.block = (units + args.blocks - 1) / args.blocks * multiple;
    args.blocks = (args.channels + args.block - 1) / args.block;
    const std::int64_t columns = lines_bytes / ((kernel + 1) * std::min(args.block, args.channels) * size);
    args.segments = std::max<std::int64_t>(1, (args.y_width + columns - 1) / columns);
    const std::int64_t rows = args.images * args.y_height;
    args.slices = std::clamp<std::int64_t>(tasks / (args.blocks * args.segments), 1,
                                           std::max<std::int64_t>(1, rows / least_rows));
  }
};

}  // namespace dformer::cpu
