#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>

#include <dformer/backend/concat_shape.hpp>
#include <dformer/backend/cuda/kernels/resample.hpp>
#include <dformer/backend/cuda/tensor.hpp>
#include <dformer/backend/shapes.hpp>

namespace dformer::cuda {

/// Other grids for the same image. Throws: ShapeError when an input is not [N, H, W, C] or an extent not
/// positive.
template <class T>
struct ResampleOps {
  /// Inputs [N, H, W, C_i], taken as concatenated, to [N, height, width, sum C_i]: means over the windows
  /// [floor(i * H / height), ceil((i + 1) * H / height)) and alike in the width. height may exceed H.
  static Tensor<T> adaptive_avg_pool(std::span<const Tensor<T>> inputs, std::int64_t height,
                                     std::int64_t width) {
    const Shape x = shapes::concat_shape("adaptive_avg_pool", inputs);
    const Shape shape = shapes::resized("adaptive_avg_pool", x, height, width);
    require_one_device("adaptive_avg_pool", inputs);
    Tensor<T> y(inputs[0].device(), shape);
    T* to = y.data();
    for (const Tensor<T>& input : inputs) {
      PoolArgs<T> args{input.data(), to,       nullptr,         x[0], x[1], x[2], input.shape()[3], height,
                       width,        shape[3], splits(x, shape)};
      Tensor<float> sums;
      if (args.splits > 1) {
        sums = Tensor<float>(y.device(), Shape{args.splits, args.windows(), args.channels});
        args.sums = sums.data();
      }
      cuda::adaptive_avg_pool(args, y.device().stream());
      to += args.channels;
    }
    return y;
  }

  /// x [N, H, W, C] to [N, height, width, C], bilinear without antialiasing.
  static Tensor<T> resize_bilinear(const Tensor<T>& x, std::int64_t height, std::int64_t width,
                                   bool align_corners) {
    const Shape shape = shapes::resized("resize_bilinear", x.shape(), height, width);
    Tensor<T> y(x.device(), shape);
    cuda::resize_bilinear(ResizeArgs<T>{x.data(), y.data(), resize_axis(x.shape()[1], height, align_corners),
                                        resize_axis(x.shape()[2], width, align_corners), shape[0], shape[3]},
                          x.device().stream());
    return y;
  }

  /// The class with the largest of logits [N, h, w, K] after resize_bilinear (align_corners false), the first
  /// of them where there are several: [N, height, width]. The resized logits are float32 whatever T is, and
  /// never held. Throws: ShapeError also when K is 0 or above 256.
  static Tensor<std::uint8_t> resize_argmax(const Tensor<T>& logits, std::int64_t height,
                                            std::int64_t width) {
    const Shape& x = logits.shape();
    const Shape shape = shapes::labels("resize_argmax", x, height, width);
    Tensor<std::uint8_t> y(logits.device(), shape);
    cuda::resize_argmax(ResizeArgmaxArgs<T>{logits.data(), y.data(), resize_axis(x[1], height, false),
                                            resize_axis(x[2], width, false), x[0], static_cast<int>(x[3])},
                        logits.device().stream());
    return y;
  }

  /// Waits until the labels are computed. Throws: ShapeError when `out` has another number of elements.
  static void labels_to_host(const Tensor<std::uint8_t>& labels, std::span<std::uint8_t> out) {
    if (static_cast<std::int64_t>(out.size()) != labels.shape().numel()) {
      shapes::fail("labels_to_host", "room for " + std::to_string(out.size()) + " labels does not fit",
                   {labels.shape()});
    }
    labels.device().staging().download(out.data(), labels.memory(), out.size(), labels.device().stream());
  }

 private:
  /// Parts of a window that are summed by themselves, where there are fewer windows than a GPU has
  /// multiprocessors and they are large.
  static std::int64_t splits(const Shape& x, const Shape& y) {
    constexpr std::int64_t blocks = 256, least_pixels = 256, channels_of_a_block = 64;
    const std::int64_t pixels = x[1] * x[2] / (y[1] * y[2]);
    const std::int64_t without = y.rows() * ((x[3] + channels_of_a_block - 1) / channels_of_a_block);
    return std::clamp<std::int64_t>(blocks / std::max<std::int64_t>(without, 1), 1,
                                    std::max<std::int64_t>(pixels / least_pixels, 1));
  }
};

}  // namespace dformer::cuda
