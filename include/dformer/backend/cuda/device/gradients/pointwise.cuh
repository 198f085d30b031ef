#pragma once

#include <type_traits>

#include <dformer/backend/cuda/device/activation.cuh>
#include <dformer/backend/cuda/device/elementwise.cuh>
#include <dformer/backend/cuda/device/gradients/column_sums.cuh>
#include <dformer/backend/cuda/kernels/gradients/pointwise.hpp>

namespace dformer::cuda {
namespace device {

/// P(X <= x) + x times its derivative, for a standard normal X: d/dx of gelu, for values that are kept as T.
template <class T>
__device__ __forceinline__ float gelu_derivative(float x) {
  constexpr float density = 0.39894228040143268f;  // at 0
  // Far out the density is 0; cut off there, no infinity meets it.
  const float near = min(100.0f, max(-100.0f, x));
  if constexpr (std::is_same_v<T, float>) {
    return fmaf(near, expf(-0.5f * near * near) * density, 0.5f * erff(x * 0.70710678118654752f) + 0.5f);
  } else {
    const NormalTail tail = normal_tail(x);
    return fmaf(near, tail.exponential * density, x < 0.0f ? tail.beyond : 1.0f - tail.beyond);
  }
}

template <class T>
struct ActivationGradient {
  Activation activation;
  __device__ __forceinline__ float operator()(float saved, float dy) const {
    switch (activation) {
      case Activation::relu:
        return saved <= 0.0f ? 0.0f : dy;
      case Activation::gelu:
        return dy * gelu_derivative<T>(saved);
      case Activation::sigmoid:
        return dy * saved * (1.0f - saved);
      case Activation::none:
        break;
    }
    return dy;
  }
};
template <class T>
__global__ void activation_gradient_elements(ActivationGradientArgs<T> args) {
  for_each_pack<T>(args.count,
                   Map2<T, ActivationGradient<T>>{args.saved, args.dy, args.dx, {args.activation}});
}

struct Scale {
  float factor;
  __device__ __forceinline__ float operator()(float x) const { return x * factor; }
};
template <class T>
__global__ void scale_elements(ScaledArgs<T> args) {
  for_each_pack<T>(args.count, Map1<T, Scale>{args.x, args.y, {args.factor}});
}

/// A warp takes a row; the second time it comes from the cache.
template <class T>
__global__ void softmax_gradient_rows(SoftmaxGradientArgs<T> args) {
  const std::int64_t row = global_thread() / warp_size;
  if (row >= args.rows) return;
  const int lane = static_cast<int>(threadIdx.x) % warp_size;
  const T* const y = args.y + row * args.channels;
  const T* const dy = args.dy + row * args.channels;
  T* const dx = args.dx + row * args.channels;
  float products = 0.0f;
  for (std::int64_t c = lane; c < args.channels; c += warp_size) {
    products = fmaf(to_float(y[c]), to_float(dy[c]), products);
  }
  const float mean = warp_sum(products);
  for (std::int64_t c = lane; c < args.channels; c += warp_size) {
    dx[c] = from_float<T>(to_float(y[c]) * (to_float(dy[c]) - mean));
  }
}

template <class Element>
struct SumOfValues {
  using T = Element;
  static constexpr int sums = 1;
  static constexpr bool two_operands = false;
  const T* a;
  const T* b;
  Columns columns;
  PartialSums partial;

  __device__ __forceinline__ float shift(std::int64_t, std::int64_t) const { return 0.0f; }
  __device__ __forceinline__ NoNumber row(std::int64_t) const { return {}; }
  __device__ __forceinline__ void add(float value, float, float, NoNumber, CompensatedSum (&to)[2]) const {
    to[0].add(value);
  }
};
template <class Element>
struct SumOfProducts {
  using T = Element;
  static constexpr int sums = 1;
  static constexpr bool two_operands = true;
  const T* a;
  const T* b;
  Columns columns;
  PartialSums partial;

  __device__ __forceinline__ float shift(std::int64_t, std::int64_t) const { return 0.0f; }
  __device__ __forceinline__ NoNumber row(std::int64_t) const { return {}; }
  __device__ __forceinline__ void add(float left, float right, float, NoNumber,
                                      CompensatedSum (&to)[2]) const {
    to[0].add_product(left, right);
  }
};

/// As scale_shift_columns, a sample for each `blocks_of_sample` blocks.
template <class T>
struct ScaleColumns {
  ScaleColumnsArgs<T> scale;
  unsigned blocks_of_sample;
};
template <class T, int N>
__global__ void scale_columns_of_samples(ScaleColumns<T> args) {
  const Columns& columns = args.scale.columns;
  const std::int64_t sample = blockIdx.x / args.blocks_of_sample;
  const ColumnThread at(columns, blockIdx.x % args.blocks_of_sample);
  if (!at.has_column) return;
  Floats<N> factors;
  if (args.scale.one_for_all_channels) {
    const float factor = args.scale.factors[sample];
    for (int k = 0; k < N; ++k) factors.values[k] = factor;
  } else {
    factors = load_floats<N>(args.scale.factors + sample * columns.channels + at.channel);
  }
  const std::int64_t step = columns.lanes * (args.blocks_of_sample / columns.tiles);
  const std::int64_t first = sample * columns.rows * columns.channels + at.channel;
  for (std::int64_t row = at.slice * columns.lanes + at.lane; row < columns.rows; row += step) {
    Floats<N> y = load_floats<N>(args.scale.x + first + row * columns.channels);
    multiply(factors, y);
    store_floats(args.scale.y + first + row * columns.channels, y);
  }
}

}  // namespace device

template <class T>
void activation_gradient(const ActivationGradientArgs<T>& args, Stream stream) {
  device::launch("activation gradient", device::activation_gradient_elements<T>,
                 device::elementwise_grid(args.count), stream, args);
}

template <class T>
void softmax_gradient(const SoftmaxGradientArgs<T>& args, Stream stream) {
  constexpr int threads = 128;
  const device::Grid grid{device::blocks_of(args.rows, threads / device::warp_size), threads};
  device::launch("softmax gradient", device::softmax_gradient_rows<T>, grid, stream, args);
}

template <class T>
void channel_sums(const ChannelSumsArgs<T>& args, Stream stream) {
  const device::SumOfValues<T> sum{args.a, args.b, args.columns, args.partial};
  device::launch_sum_columns("channel_sums", sum, stream);
  device::launch_finish_columns("channel_sums", device::StoreSums<1>{args.partial, {args.result, nullptr}},
                                stream);
}
template <class T>
void channel_products(const ChannelSumsArgs<T>& args, Stream stream) {
  const device::SumOfProducts<T> sum{args.a, args.b, args.columns, args.partial};
  device::launch_sum_columns("channel_products", sum, stream);
  device::launch_finish_columns("channel_products",
                                device::StoreSums<1>{args.partial, {args.result, nullptr}}, stream);
}

template <class T>
void scale_columns(const ScaleColumnsArgs<T>& args, Stream stream) {
  constexpr int width = device::widest_pack<T>;
  const device::Grid of_sample = device::column_grid(args.columns);
  device::launch("scale",
                 args.columns.pack == 1 ? device::scale_columns_of_samples<T, 1>
                                        : device::scale_columns_of_samples<T, width>,
                 device::Grid{args.samples * of_sample.x, of_sample.threads}, stream,
                 device::ScaleColumns<T>{args, static_cast<unsigned>(of_sample.x)});
}

template <class T>
void scaled(const ScaledArgs<T>& args, Stream stream) {
  device::launch("scaled", device::scale_elements<T>, device::elementwise_grid(args.count), stream, args);
}

template void activation_gradient(const ActivationGradientArgs<float>&, Stream);
template void activation_gradient(const ActivationGradientArgs<half>&, Stream);
template void activation_gradient(const ActivationGradientArgs<bfloat16>&, Stream);
template void softmax_gradient(const SoftmaxGradientArgs<float>&, Stream);
template void softmax_gradient(const SoftmaxGradientArgs<half>&, Stream);
template void softmax_gradient(const SoftmaxGradientArgs<bfloat16>&, Stream);
template void channel_sums(const ChannelSumsArgs<float>&, Stream);
template void channel_sums(const ChannelSumsArgs<half>&, Stream);
template void channel_sums(const ChannelSumsArgs<bfloat16>&, Stream);
template void channel_products(const ChannelSumsArgs<float>&, Stream);
template void channel_products(const ChannelSumsArgs<half>&, Stream);
template void channel_products(const ChannelSumsArgs<bfloat16>&, Stream);
template void scale_columns(const ScaleColumnsArgs<float>&, Stream);
template void scale_columns(const ScaleColumnsArgs<half>&, Stream);
template void scale_columns(const ScaleColumnsArgs<bfloat16>&, Stream);
template void scaled(const ScaledArgs<float>&, Stream);
template void scaled(const ScaledArgs<half>&, Stream);
template void scaled(const ScaledArgs<bfloat16>&, Stream);

}  // namespace dformer::cuda
