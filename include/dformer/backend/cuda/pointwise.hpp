#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

#include <dformer/backend/concat_shape.hpp>
#include <dformer/backend/cuda/elements.hpp>
#include <dformer/backend/cuda/kernels/pointwise.hpp>
#include <dformer/backend/cuda/tensor.hpp>
#include <dformer/backend/shapes.hpp>

namespace dformer::cuda {

/// Element by element, and what else goes through memory once.
template <class T>
struct PointwiseOps {
  static Tensor<T> activate(const Tensor<T>& x, Activation activation) {
    Tensor<T> y = like(x, x.shape());
    with_elements(
        [&]<class E>(const E* from, E* to) {
          cuda::activate(ActivateArgs<E>{from, to, x.elements(), activation}, x.device().stream());
        },
        x, y);
    return y;
  }

  /// a + b, of one shape. Throws: ShapeError.
  static Tensor<T> add(const Tensor<T>& a, const Tensor<T>& b) {
    return combine("add", a, b,
                   []<class E>(const BinaryArgs<E>& args, Stream stream) { cuda::add(args, stream); });
  }

  /// a * b, of one shape. Throws: ShapeError.
  static Tensor<T> multiply(const Tensor<T>& a, const Tensor<T>& b) {
    return combine("multiply", a, b,
                   []<class E>(const BinaryArgs<E>& args, Stream stream) { cuda::multiply(args, stream); });
  }

  /// Inputs [..., C_i] side by side: [..., sum C_i]. Throws: ShapeError.
  static Tensor<T> concat(std::span<const Tensor<T>> inputs) {
    const Shape shape = shapes::concat_shape("concat", inputs);
    require_one_device("concat", inputs);
    Tensor<T> y(inputs[0].device(), shape);
    T* to = y.data();
    for (const Tensor<T>& input : inputs) {
      const std::int64_t channels = input.shape().back();
      copy_columns(CopyColumnsArgs<T>{input.data(), to, shape.rows(), channels, channels, shape.back()},
                   y.device().stream());
      to += channels;
    }
    return y;
  }

  /// Channels [first, first + count) of x [..., C]; those that x does not have are 0. Throws: ShapeError.
  static Tensor<T> select_channels(const Tensor<T>& x, std::int64_t first, std::int64_t count) {
    Tensor<T> y = like(x, shapes::select_channels(x.shape(), first, count));
    const std::int64_t channels = x.shape().back();
    const std::int64_t begin = std::clamp<std::int64_t>(-first, 0, count);
    const std::int64_t end = std::clamp<std::int64_t>(channels - first, begin, count);
    if (end - begin < count) fill_with_zeros(y);
    if (begin == end) return y;
    with_elements(
        [&]<class E>(const E* from, E* to) {
          copy_columns(CopyColumnsArgs<E>{from + (first + begin), to + begin, y.shape().rows(), end - begin,
                                          channels, count},
                       y.device().stream());
        },
        x, y);
    return y;
  }

  /// Softmax over the last axis of x [..., C].
  static Tensor<T> softmax(const Tensor<T>& x) {
    if (x.shape().rank() == 0) shapes::fail("softmax", "input must be [..., C]", {x.shape()});
    Tensor<T> y(x.device(), x.shape());
    cuda::softmax(SoftmaxArgs<T>{x.data(), y.data(), x.shape().rows(), x.shape().back()},
                  x.device().stream());
    return y;
  }

  /// sigmoid(scale * sum_c x * spatial) * x * channel: a weight for each pixel of x [N, H, W, C], and one for
  /// each channel of each image, [N, 1, 1, C]. Throws: ShapeError.
  static Tensor<T> gate(const Tensor<T>& x, const Tensor<T>& spatial, const Tensor<T>& channel, float scale) {
    const Shape shape = shapes::gate(x.shape(), spatial.shape(), channel.shape());
    require_one_device("gate", x, spatial);
    require_one_device("gate", x, channel);
    require_same_elements("gate", x, spatial);
    require_same_elements("gate", x, channel);
    Tensor<T> y = like(x, shape);
    if (shape.numel() == 0) return y;
    with_elements(
        [&]<class E>(const E* from, const E* of_pixels, const E* of_channels, E* to) {
          cuda::gate(GateArgs<E>{from, of_pixels, of_channels, to, shape.rows(), shape[1] * shape[2],
                                 shape[3], scale},
                     x.device().stream());
        },
        x, spatial, channel, y);
    return y;
  }

 private:
  template <class Launcher>
  static Tensor<T> combine(const char* op, const Tensor<T>& a, const Tensor<T>& b, const Launcher& launcher) {
    const Shape shape = shapes::same(op, a.shape(), b.shape());
    require_same_elements(op, a, b);
    require_one_device(op, a, b);
    Tensor<T> y = like(a, shape);
    with_elements(
        [&]<class E>(const E* left, const E* right, E* to) {
          launcher(BinaryArgs<E>{left, right, to, y.elements()}, y.device().stream());
        },
        a, b, y);
    return y;
  }
};

}  // namespace dformer::cuda
