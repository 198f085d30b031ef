#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <string>

#include <dformer/backend/concat_shape.hpp>
#include <dformer/backend/cpu/kernels/kernels.hpp>
#include <dformer/backend/cpu/tensor.hpp>
#include <dformer/backend/shapes.hpp>

namespace dformer::cpu {

/// For each of `output` rows (or columns) the two of `input` between which it lies, by PyTorch's rule: pixel
/// centres correspond, or (align_corners) first and last pixel do. In float32, as there, whatever is
/// interpolated.
inline Tensor<ResizeTap> resize_taps(const Device& device, std::int64_t input, std::int64_t output,
                                     bool align_corners) {
  Tensor<ResizeTap> taps(device, Shape{output});
  const float inner = align_corners ? static_cast<float>(input - 1) : static_cast<float>(input);
  const float outer = align_corners ? static_cast<float>(output - 1) : static_cast<float>(output);
  const float scale = outer > 0 ? inner / outer : 0.0f;
  for (std::int64_t i = 0; i < output; ++i) {
    const float at = align_corners ? scale * static_cast<float>(i)
                                   : std::max(scale * (static_cast<float>(i) + 0.5f) - 0.5f, 0.0f);
    const auto first = std::min(static_cast<std::int32_t>(at), static_cast<std::int32_t>(input - 1));
    const auto second = std::min(first + 1, static_cast<std::int32_t>(input - 1));
    taps.data()[i] = {first, second, std::min(at - static_cast<float>(first), 1.0f)};
  }
  return taps;
}

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
    const Device& device = inputs[0].device();
    Tensor<T> y(device, shape);
    const auto kernel = kernels<T>(device.isa()).adaptive_avg_pool;
    T* to = y.data();
    for (const Tensor<T>& input : inputs) {
      const PoolArgs<T> args{input.data(), to, x[1], x[2], input.shape()[3], height, width, shape[3]};
      device.parallel_for(shape.rows(), [&](auto begin, auto end) { kernel(args, begin, end); });
      to += input.shape()[3];
    }
    return y;
  }

  /// x [N, H, W, C] to [N, height, width, C], bilinear without antialiasing.
  static Tensor<T> resize_bilinear(const Tensor<T>& x, std::int64_t height, std::int64_t width,
                                   bool align_corners) {
    const Shape shape = shapes::resized("resize_bilinear", x.shape(), height, width);
    const Tensor<ResizeTap> rows = resize_taps(x.device(), x.shape()[1], height, align_corners);
    const Tensor<ResizeTap> columns = resize_taps(x.device(), x.shape()[2], width, align_corners);
    Tensor<T> y(x.device(), shape);
    const ResizeArgs<T> args{x.data(),     y.data(),     rows.data(), columns.data(), x.shape()[1],
                             x.shape()[2], x.shape()[3], height,      width};
    const auto kernel = kernels<T>(x.device().isa()).resize_bilinear;
    x.device().parallel_for(shape[0] * height, [&](auto begin, auto end) { kernel(args, begin, end); });
    return y;
  }

  /// The class with the largest of logits [N, h, w, K] after resize_bilinear (align_corners false), the first
  /// of them where there are several: [N, height, width]. Throws: ShapeError also when K is 0 or above 256.
  static Tensor<std::uint8_t> resize_argmax(const Tensor<T>& logits, std::int64_t height,
                                            std::int64_t width) {
    const Shape& x = logits.shape();
    const Shape shape = shapes::labels("resize_argmax", x, height, width);
    const Device& device = logits.device();
    const Tensor<ResizeTap> rows = resize_taps(device, x[1], height, false);
    const Tensor<ResizeTap> columns = resize_taps(device, x[2], width, false);
    Tensor<std::uint8_t> label(device, Shape{x.rows()});
    Tensor<T> lead(device, Shape{x.rows()});
    Tensor<T> magnitude(device, Shape{x.rows()});
    const TopClassArgs<T> top{logits.data(), label.data(), lead.data(), magnitude.data(), x[3]};
    const KernelTable<T>& table = kernels<T>(device.isa());
    device.parallel_for(x.rows(), [&](auto begin, auto end) { table.top_class(top, begin, end); });

    Tensor<std::uint8_t> y(device, shape);
    const ResizeArgmaxArgs<T> args{logits.data(), y.data(),    rows.data(),      columns.data(),
                                   label.data(),  lead.data(), magnitude.data(), x[1],
                                   x[2],          x[3],        height,           width};
    device.parallel_for(x[0] * x[1], [&](auto begin, auto end) { table.resize_argmax(args, begin, end); });
    return y;
  }

  /// Throws: ShapeError when `out` has another number of elements.
  static void labels_to_host(const Tensor<std::uint8_t>& labels, std::span<std::uint8_t> out) {
    if (static_cast<std::int64_t>(out.size()) != labels.shape().numel()) {
      shapes::fail("labels_to_host", "room for " + std::to_string(out.size()) + " labels does not fit",
                   {labels.shape()});
    }
    std::copy_n(labels.data(), out.size(), out.begin());
  }
};

}  // namespace dformer::cpu
