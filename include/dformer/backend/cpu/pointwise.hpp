#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <span>

#include <dformer/backend/concat_shape.hpp>
#include <dformer/backend/cpu/kernels/kernels.hpp>
#include <dformer/backend/cpu/tensor.hpp>
#include <dformer/backend/shapes.hpp>

namespace dformer::cpu {

/// Element by element, and what else goes through memory once.
template <class T>
struct PointwiseOps {
  static Tensor<T> activate(const Tensor<T>& x, Activation activation) {
    Tensor<T> y(x.device(), x.shape());
    run(kernels<T>(x.device().isa()).activate, {x.data(), nullptr, y.data(), x.shape().numel(), activation},
        x);
    return y;
  }

  /// a + b, of one shape. Throws: ShapeError.
  static Tensor<T> add(const Tensor<T>& a, const Tensor<T>& b) {
    Tensor<T> y(a.device(), shapes::same("add", a.shape(), b.shape()));
    run(kernels<T>(a.device().isa()).add, {a.data(), b.data(), y.data(), a.shape().numel(), Activation::none},
        a);
    return y;
  }

  /// a * b, of one shape. Throws: ShapeError.
  static Tensor<T> multiply(const Tensor<T>& a, const Tensor<T>& b) {
    Tensor<T> y(a.device(), shapes::same("multiply", a.shape(), b.shape()));
    run(kernels<T>(a.device().isa()).multiply,
        {a.data(), b.data(), y.data(), a.shape().numel(), Activation::none}, a);
    return y;
  }

  /// Inputs [..., C_i] side by side: [..., sum C_i]. Throws: ShapeError.
  static Tensor<T> concat(std::span<const Tensor<T>> inputs) {
    const Shape shape = shapes::concat_shape("concat", inputs);
    Tensor<T> y(inputs[0].device(), shape);
    inputs[0].device().parallel_for(shape.rows(), [&](std::int64_t begin, std::int64_t end) {
      T* to = y.data();
      for (const Tensor<T>& input : inputs) {
        const std::int64_t channels = input.shape().back();
        for (std::int64_t row = begin; row < end; ++row) {
          std::memcpy(to + row * shape.back(), input.data() + row * channels,
                      static_cast<std::size_t>(channels) * sizeof(T));
        }
        to += channels;
      }
    });
    return y;
  }

  /// Channels [first, first + count) of x [..., C]; those that x does not have are 0. Throws: ShapeError.
  static Tensor<T> select_channels(const Tensor<T>& x, std::int64_t first, std::int64_t count) {
    const Shape shape = shapes::select_channels(x.shape(), first, count);
    const std::int64_t channels = x.shape().back();
    const std::int64_t begin = std::clamp<std::int64_t>(-first, 0, count);
    const std::int64_t end = std::clamp<std::int64_t>(channels - first, begin, count);
    Tensor<T> y(x.device(), shape);
    x.device().parallel_for(shape.rows(), [&](std::int64_t row, std::int64_t last_row) {
      for (; row < last_row; ++row) {
        T* const to = y.data() + row * count;
        std::fill(to, to + begin, T(0));
        if (begin < end) std::copy_n(x.data() + (row * channels + first + begin), end - begin, to + begin);
        std::fill(to + end, to + count, T(0));
      }
    });
    return y;
  }

  /// Softmax over the last axis of x [..., C].
  static Tensor<T> softmax(const Tensor<T>& x) {
    if (x.shape().rank() == 0) shapes::fail("softmax", "input must be [..., C]", {x.shape()});
    Tensor<T> y(x.device(), x.shape());
    const SoftmaxArgs<T> args{x.data(), y.data(), x.shape().back()};
    const auto kernel = kernels<T>(x.device().isa()).softmax;
    x.device().parallel_for(x.shape().rows(), [&](auto begin, auto end) { kernel(args, begin, end); });
    return y;
  }

  /// sigmoid(scale * sum_c x * spatial) * x * channel: a weight for each pixel of x [N, H, W, C], and one for
  /// each channel of each image, [N, 1, 1, C]. Throws: ShapeError.
  static Tensor<T> gate(const Tensor<T>& x, const Tensor<T>& spatial, const Tensor<T>& channel, float scale) {
    const Shape shape = shapes::gate(x.shape(), spatial.shape(), channel.shape());
    Tensor<T> y(x.device(), shape);
    const GateArgs<T> args{x.data(), spatial.data(),       channel.data(), y.data(), shape[1] * shape[2],
                           shape[3], static_cast<T>(scale)};
    const auto kernel = kernels<T>(x.device().isa()).gate;
    x.device().parallel_for(shape.rows(), [&](auto begin, auto end) { kernel(args, begin, end); });
    return y;
  }

 private:
  static void run(typename KernelTable<T>::template Kernel<PointwiseArgs<T>> kernel,
                  const PointwiseArgs<T>& args, const Tensor<T>& x) {
    constexpr std::int64_t block = PointwiseArgs<T>::block;
    x.device().parallel_for((args.count + block - 1) / block,
                            [&](auto begin, auto end) { kernel(args, begin, end); });
  }
};

}  // namespace dformer::cpu
