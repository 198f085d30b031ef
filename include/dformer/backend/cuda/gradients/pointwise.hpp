#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include <dformer/backend/cuda/elements.hpp>
#include <dformer/backend/cuda/gradients/column_sums.hpp>
#include <dformer/backend/cuda/kernels/gradients/pointwise.hpp>
#include <dformer/backend/cuda/kernels/pointwise.hpp>
#include <dformer/backend/cuda/tensor.hpp>
#include <dformer/backend/gradient_shapes.hpp>

namespace dformer::cuda {

/// Gradients of what works element by element, and the sums and products that gradients are made of. Operands
/// of any kind of elements; sums over rows, and what is multiplied to channels, are float32. Throws:
/// ShapeError.
template <class T>
struct PointwiseGradientOps {
  /// `saved` is the input of gelu and the result of relu and sigmoid. As in PyTorch, relu's is 0 at 0.
  static Tensor<T> activation(const Tensor<T>& saved, Activation activation, const Tensor<T>& dy) {
    const Shape shape = shapes::same("activation gradient", saved.shape(), dy.shape());
    require_same_elements("activation gradient", saved, dy);
    require_one_device("activation gradient", saved, dy);
    Tensor<T> dx = like(dy, shape);
    with_elements(
        [&]<class E>(const E* before, const E* from, E* to) {
          activation_gradient(ActivationGradientArgs<E>{before, from, to, dx.elements(), activation},
                              dy.device().stream());
        },
        saved, dy, dx);
    return dx;
  }

  /// Of softmax over the last axis; y [..., C] is its result.
  static Tensor<T> softmax(const Tensor<T>& y, const Tensor<T>& dy) {
    if (y.shape().rank() == 0) shapes::fail("softmax gradient", "result must be [..., C]", {y.shape()});
    const Shape shape = shapes::same("softmax gradient", y.shape(), dy.shape());
    require_same_elements("softmax gradient", y, dy);
    require_one_device("softmax gradient", y, dy);
    Tensor<T> dx = like(y, shape);
    with_elements(
        [&]<class E>(const E* result, const E* from, E* to) {
          softmax_gradient(SoftmaxGradientArgs<E>{result, from, to, y.shape().rows(), y.shape().back()},
                           y.device().stream());
        },
        y, dy, dx);
    return dx;
  }

  /// Sums of x [..., C] over all rows: [C].
  static Tensor<T> channel_sums(const Tensor<T>& x) {
    shapes::filled_rows("channel_sums", x.shape());
    return sums(x, x, []<class E>(const ChannelSumsArgs<E>& args, Stream stream) {
      cuda::channel_sums(args, stream);
    });
  }

  /// Sums of a * b, both [..., C], over all rows: [C].
  static Tensor<T> channel_products(const Tensor<T>& a, const Tensor<T>& b) {
    shapes::filled_rows("channel_products", shapes::same("channel_products", a.shape(), b.shape()));
    require_same_elements("channel_products", a, b);
    require_one_device("channel_products", a, b);
    return sums(a, b, []<class E>(const ChannelSumsArgs<E>& args, Stream stream) {
      cuda::channel_products(args, stream);
    });
  }

  /// x [..., C] * scale [C].
  static Tensor<T> scale_channels(const Tensor<T>& x, const Tensor<T>& scale) {
    shapes::per_channel("scale_channels", x.shape(), scale.shape());
    require_one_device("scale_channels", x, scale);
    return scale_columns(x, full(scale), 1, false);
  }

  /// x [N, ..., C] * factors: N of them, one for each sample, or N * C, one for each channel of each sample.
  static Tensor<T> scale_samples(const Tensor<T>& x, std::span<const float> factors) {
    const Shape& shape = shapes::scale_samples(x.shape(), factors.size());
    if (shape.numel() == 0) return like(x, shape);
    Tensor<T> scale(x.device(), Shape{static_cast<std::int64_t>(factors.size())}, Elements::full);
    x.device().staging().upload(scale.memory(), factors.data(), factors.size_bytes(), x.device().stream());
    return scale_columns(x, scale, shape[0], scale.shape()[0] == shape[0]);
  }

  /// x * factor. A weight's master is scaled with it.
  static Tensor<T> scaled(const Tensor<T>& x, float factor) {
    Tensor<T> y = like(x, x.shape());
    with_elements(
        [&]<class E>(const E* from, E* to) {
          cuda::scaled(ScaledArgs<E>{from, to, y.elements(), factor}, x.device().stream());
        },
        x, y);
    if (x.master() != nullptr) {
      y.set_master(std::make_shared<Tensor<float>>(PointwiseGradientOps<float>::scaled(*x.master(), factor)));
    }
    return y;
  }

  /// The pieces of x [..., C] with these numbers of channels.
  static std::vector<Tensor<T>> split(const Tensor<T>& x, std::span<const std::int64_t> channels) {
    const Shape& shape = shapes::split(x.shape(), channels);
    std::vector<Tensor<T>> pieces;
    std::int64_t first = 0;
    for (const std::int64_t count : channels) {
      Tensor<T>& piece = pieces.emplace_back(like(x, shape.with_back(count)));
      with_elements(
          [&]<class E>(const E* from, E* to) {
            copy_columns(CopyColumnsArgs<E>{from + first, to, shape.rows(), count, shape.back(), count},
                         x.device().stream());
          },
          x, piece);
      first += count;
    }
    return pieces;
  }

  /// sum += x, in place: every handle on `sum` sees it. Both of one kind of elements.
  static void add_to(Tensor<T>& sum, const Tensor<T>& x) {
    shapes::same_layout("add_to", sum, x);
    require_same_elements("add_to", sum, x);
    require_one_device("add_to", sum, x);
    with_elements(
        [&]<class E>(const E* from, E* to) {
          cuda::add(BinaryArgs<E>{to, from, to, x.elements()}, x.device().stream());
        },
        x, sum);
  }

 private:
  template <class Launcher>
  static Tensor<T> sums(const Tensor<T>& a, const Tensor<T>& b, const Launcher& launcher) {
    const std::int64_t channels = a.shape().back();
    Tensor<T> result(a.device(), Shape{channels}, Elements::full);
    with_elements(
        [&]<class E>(const E* left, const E* right) {
          const Columns columns = Columns::of<E>(a.shape().rows(), channels);
          PartialSumsMemory partial(a.device(), slices_of_sums(columns), 1, channels);
          launcher(ChannelSumsArgs<E>{left, right, result.full_data(), columns, partial.sums()},
                   a.device().stream());
        },
        a, b);
    return result;
  }

  static Tensor<T> scale_columns(const Tensor<T>& x, const Tensor<T>& factors, std::int64_t samples,
                                 bool one_for_all_channels) {
    Tensor<T> y = like(x, x.shape());
    with_elements(
        [&]<class E>(const E* from, E* to) {
          const Columns columns = Columns::of<E>(x.shape().rows() / samples, x.shape().back());
          cuda::scale_columns(
              ScaleColumnsArgs<E>{from, factors.full_data(), to, columns, samples, one_for_all_channels},
              x.device().stream());
        },
        x, y);
    return y;
  }
};

}  // namespace dformer::cuda
