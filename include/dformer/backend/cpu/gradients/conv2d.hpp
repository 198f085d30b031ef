#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <span>

#include <dformer/backend/cpu/conv2d.hpp>
#include <dformer/backend/cpu/gradients/linear.hpp>
#include <dformer/backend/cpu/gradients/transposed_weight.hpp>
#include <dformer/backend/cpu/gradients/weight_gradient.hpp>
#include <dformer/backend/cpu/gradients/window_columns.hpp>
#include <dformer/backend/gradient_shapes.hpp>

namespace dformer::cpu {

template <class T>
struct ConvolutionGradientOps {
  /// dy [N, H', W', O] by weight [O, I, k, k] gives the gradient of x [N, H, W, I], whose shape is given.
  /// Throws: ShapeError.
  static Tensor<T> conv2d_input(const Tensor<T>& dy, const Tensor<T>& weight, const Window& window,
                                const Shape& x) {
    const Shape shape = shapes::conv2d_input(dy.shape(), weight.shape(), window, x);
    if (is_pointwise(window)) return LinearGradientOps<T>::linear_input(dy, weight);
    Tensor<T> dx(dy.device(), shape);
    if (shape.numel() == 0) return dx;

    // Strips of rows of the image, each by one thread: for every line of the window the rows of dy that reach
    // the strip, multiplied by that line of the weight, and then all of it gathered while it is in the cache.
    const Device& device = dy.device();
    const Tensor<T> turned = transposed_weight(weight, window.kernel);
    const std::int64_t pixel = window.kernel * shape[3];
    const std::int64_t line_rows = rows_of_strip(window, dy.shape()[2] * pixel);
    const std::int64_t strip = line_rows * window.stride;
    const std::int64_t strips = (shape[1] + strip - 1) / strip;
    const std::int64_t line_elements = line_rows * dy.shape()[2] * pixel;
    const std::int64_t own_elements = window.kernel * line_elements;
    Tensor<T> products(device, Shape{device.threads(), own_elements});
    std::atomic<std::int64_t> next{0};
    const std::int64_t tasks = shape[0] * strips;
    device.parallel_for(
        std::min<std::int64_t>(device.threads(), tasks), [&](std::int64_t slot, std::int64_t) {
          T* const own = products.data() + slot * own_elements;
          for (std::int64_t task; (task = next.fetch_add(1, std::memory_order_relaxed)) < tasks;) {
            const std::int64_t image = task / strips;
            const std::int64_t begin = task % strips * strip, end = std::min(begin + strip, shape[1]);
            for (int line = 0; line < window.kernel; ++line) {
              const TapOutputs rows(window, line, begin, end, dy.shape()[1]);
              const std::int64_t first = (image * dy.shape()[1] + rows.begin) * dy.shape()[2];
              multiply(device, {dy.data() + first * dy.shape()[3],
                                turned.data() + line * turned.shape()[1],
                                (rows.end - rows.begin) * dy.shape()[2],
                                dy.shape()[3],
                                own + line * line_elements,
                                pixel,
                                {}});
            }
            const WindowGatherArgs<T> args{
                own,           line_elements, begin,
                window,        shape[2],      shape[3],
                dy.shape()[1], dy.shape()[2], dx.data() + image * shape[1] * shape[2] * shape[3]};
            gradient_kernels<T>(device.isa()).window_gather(args, begin, end);
          }
        });
    return dx;
  }

  /// x [N, H, W, I] and dy [N, H', W', O] give the gradient of a weight of shape [O, I, k, k], packed as the
  /// weight is. Throws: ShapeError.
  static Tensor<T> conv2d_weight(const Tensor<T>& x, const Tensor<T>& dy, const Window& window,
                                 const Shape& weight) {
    const Shape shape = shapes::conv2d_weight(x.shape(), dy.shape(), window, weight);
    if (is_pointwise(window)) return LinearGradientOps<T>::linear_weight(std::span(&x, 1), dy, shape);
    Tensor<T> dw(dy.device(), shape, packed_elements(WeightLayout::dense, shape));
    weight_gradient(WindowColumns<T>{x, window, dy.shape()[1], dy.shape()[2]}, dy, dw);
    return dw;
  }

 private:
  static bool is_pointwise(const Window& window) {
    return window.kernel == 1 && window.stride == 1 && window.padding == 0;
  }

  /// So many rows of dy that their products fit a second-level cache; `row_elements` are those of one row and
  /// one line of the window.
  static std::int64_t rows_of_strip(const Window& window, std::int64_t row_elements) {
    constexpr std::int64_t cache_bytes = 512 << 10;
    const std::int64_t row_bytes = window.kernel * row_elements * static_cast<std::int64_t>(sizeof(T));
    return std::max<std::int64_t>(1, cache_bytes / row_bytes);
  }

  /// Panels by groups that stay in the second-level cache while all rows pass by.
  static void multiply(const Device& device, const MatrixProductArgs<T>& args) {
    if (args.rows == 0) return;
    const std::int64_t panels = panels_of(args.channels);
    const std::int64_t groups =
        cut_product(args.rows, args.depth * static_cast<std::int64_t>(sizeof(T)), panels, 1).groups;
    const std::int64_t pairs = (panels + 1) / 2;
    for (std::int64_t group = 0; group < groups; ++group) {
      kernels<T>(device.isa())
          .matrix_product(args, 2 * (pairs * group / groups),
                          std::min(panels, 2 * (pairs * (group + 1) / groups)));
    }
  }
};

}  // namespace dformer::cpu
