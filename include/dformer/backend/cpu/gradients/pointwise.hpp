#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include <dformer/backend/cpu/gradients/channel_sums.hpp>
#include <dformer/backend/cpu/kernels/gradients/kernels.hpp>
#include <dformer/backend/cpu/tensor.hpp>
#include <dformer/backend/gradient_shapes.hpp>

namespace dformer::cpu {

/// Gradients of what works element by element, and the sums and products that gradients are made of. Throws:
/// ShapeError.
template <class T>
struct PointwiseGradientOps {
  /// `saved` is the input of gelu and the result of relu and sigmoid. As in PyTorch, relu's is 0 at 0.
  static Tensor<T> activation(const Tensor<T>& saved, Activation activation, const Tensor<T>& dy) {
    Tensor<T> dx(dy.device(), shapes::same("activation gradient", saved.shape(), dy.shape()));
    const PointwiseArgs<T> args{saved.data(), dy.data(), dx.data(), dy.shape().numel(), activation};
    run(gradient_kernels<T>(dy.device().isa()).activation, args, dy.device());
    return dx;
  }

  /// Of softmax over the last axis; y [..., C] is its result.
  static Tensor<T> softmax(const Tensor<T>& y, const Tensor<T>& dy) {
    if (y.shape().rank() == 0) shapes::fail("softmax gradient", "result must be [..., C]", {y.shape()});
    Tensor<T> dx(y.device(), shapes::same("softmax gradient", y.shape(), dy.shape()));
    const SoftmaxGradientArgs<T> args{y.data(), dy.data(), dx.data(), y.shape().back()};
    const auto kernel = gradient_kernels<T>(y.device().isa()).softmax;
    y.device().parallel_for(y.shape().rows(), [&](auto begin, auto end) { kernel(args, begin, end); });
    return dx;
  }

  /// Sums of x [..., C] over all rows: [C].
  static Tensor<T> channel_sums(const Tensor<T>& x) {
    shapes::filled_rows("channel_sums", x.shape());
    return first_sums(sum_rows<T>(gradient_kernels<T>(x.device().isa()).channel_sums, x.device(),
                                  grouped_rows(x.shape()), x.data()));
  }

  /// Sums of a * b, both [..., C], over all rows: [C].
  static Tensor<T> channel_products(const Tensor<T>& a, const Tensor<T>& b) {
    shapes::filled_rows("channel_products", shapes::same("channel_products", a.shape(), b.shape()));
    return first_sums(sum_rows<T>(gradient_kernels<T>(a.device().isa()).channel_products, a.device(),
                                  grouped_rows(a.shape()), a.data(), b.data()));
  }

  /// x [..., C] * scale [C].
  static Tensor<T> scale_channels(const Tensor<T>& x, const Tensor<T>& scale) {
    shapes::per_channel("scale_channels", x.shape(), scale.shape());
    Tensor<T> y(x.device(), x.shape());
    scale_rows(x.data(), scale.data(), y.data(), grouped_rows(x.shape()), x.device());
    return y;
  }

  /// x [N, ..., C] * factors: N of them, one for each sample, or N * C, one for each channel of each sample.
  static Tensor<T> scale_samples(const Tensor<T>& x, std::span<const float> factors) {
    const Shape& shape = shapes::scale_samples(x.shape(), factors.size());
    const auto count = static_cast<std::int64_t>(factors.size());
    Tensor<T> y(x.device(), shape);
    if (x.shape().numel() == 0) return y;
    Tensor<T> scale(x.device(), Shape{count});
    for (std::int64_t i = 0; i < count; ++i) {
      scale.data()[i] = static_cast<T>(factors[static_cast<std::size_t>(i)]);
    }
    const std::int64_t samples = shape[0];
    const std::int64_t length = shape.numel() / samples;
    if (count == samples) {
      scale_samples({x.data(), scale.data(), y.data(), length}, samples, x.device());
      return y;
    }
    for (std::int64_t sample = 0; sample < samples; ++sample) {
      scale_rows(x.data() + sample * length, scale.data() + sample * shape.back(), y.data() + sample * length,
                 {shape.back(), shape.rows() / samples}, x.device());
    }
    return y;
  }

  /// x * factor, with x's layout.
  static Tensor<T> scaled(const Tensor<T>& x, float factor) {
    Tensor<T> y(x.device(), x.shape(), x.elements());
    const T scale = static_cast<T>(factor);
    scale_samples({x.data(), &scale, y.data(), x.elements()}, 1, x.device());
    return y;
  }

  /// The pieces of x [..., C] with these numbers of channels.
  static std::vector<Tensor<T>> split(const Tensor<T>& x, std::span<const std::int64_t> channels) {
    const Shape& shape = shapes::split(x.shape(), channels);
    std::vector<Tensor<T>> pieces;
    for (const std::int64_t count : channels) pieces.emplace_back(x.device(), shape.with_back(count));
    x.device().parallel_for(shape.rows(), [&](std::int64_t begin, std::int64_t end) {
      const T* from = x.data();
      for (Tensor<T>& piece : pieces) {
        const std::int64_t count = piece.shape().back();
        for (std::int64_t row = begin; row < end; ++row) {
          std::memcpy(piece.data() + row * count, from + row * shape.back(),
                      static_cast<std::size_t>(count) * sizeof(T));
        }
        from += count;
      }
    });
    return pieces;
  }

  /// sum += x, in place: every handle on `sum` sees it. Both in one layout.
  static void add_to(Tensor<T>& sum, const Tensor<T>& x) {
    shapes::same_layout("add_to", sum, x);
    const PointwiseArgs<T> args{sum.data(), x.data(), sum.data(), x.elements(), Activation::none};
    run(kernels<T>(x.device().isa()).add, args, x.device());
  }

 private:
  static void run(typename KernelTable<T>::template Kernel<PointwiseArgs<T>> kernel,
                  const PointwiseArgs<T>& args, const Device& device) {
    constexpr std::int64_t block = PointwiseArgs<T>::block;
    device.parallel_for((args.count + block - 1) / block,
                        [&](auto begin, auto end) { kernel(args, begin, end); });
  }

  static void scale_rows(const T* x, const T* scale, T* y, const GroupedRows& rows, const Device& device) {
    const Tensor<T> scales = repeated<T>(device, rows, scale);
    const ScaleChannelsArgs<T> args{x, scales.data(), y, rows};
    const auto kernel = gradient_kernels<T>(device.isa()).scale_channels;
    device.parallel_for(rows.tasks(), [&](auto begin, auto end) { kernel(args, begin, end); });
  }

  static void scale_samples(const ScaleSamplesArgs<T>& args, std::int64_t samples, const Device& device) {
    const auto kernel = gradient_kernels<T>(device.isa()).scale_samples;
    device.parallel_for(samples * args.blocks(), [&](auto begin, auto end) { kernel(args, begin, end); });
  }

  static Tensor<T> first_sums(const Tensor<double>& sums) {
    Tensor<T> result(sums.device(), Shape{sums.shape()[1]});
    for (std::int64_t c = 0; c < sums.shape()[1]; ++c) result.data()[c] = static_cast<T>(sums.data()[c]);
    return result;
  }
};

}  // namespace dformer::cpu
