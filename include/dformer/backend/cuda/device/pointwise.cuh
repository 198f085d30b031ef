#pragma once

#include <dformer/backend/cuda/device/activation.cuh>
#include <dformer/backend/cuda/device/elementwise.cuh>
#include <dformer/backend/cuda/device/launch.cuh>
#include <dformer/backend/cuda/kernels/pointwise.hpp>

namespace dformer::cuda {
namespace device {

template <class T>
struct Activate {
  Activation activation;
  __device__ __forceinline__ float operator()(float x) const { return activated<T>(x, activation); }
};
template <class T>
__global__ void activate_elements(ActivateArgs<T> args) {
  for_each_pack<T>(args.count, Map1<T, Activate<T>>{args.x, args.y, {args.activation}});
}

struct Add {
  __device__ __forceinline__ float operator()(float a, float b) const { return a + b; }
};
struct Multiply {
  __device__ __forceinline__ float operator()(float a, float b) const { return a * b; }
};
template <class T, class Function>
__global__ void combine_elements(BinaryArgs<T> args) {
  for_each_pack<T>(args.count, Map2<T, Function>{args.a, args.b, args.y, {}});
}

template <class T, class Element>
__global__ void copy_columns_of(CopyColumnsArgs<T> args) {
  constexpr int width = static_cast<int>(sizeof(Element) / sizeof(T));
  const std::int64_t packs = args.channels / width;
  for (std::int64_t i = global_thread(); i < args.rows * packs; i += global_threads()) {
    const std::int64_t row = i / packs, at = i % packs * width;
    *reinterpret_cast<Element*>(args.y + row * args.y_step + at) =
        *reinterpret_cast<const Element*>(args.x + row * args.x_step + at);
  }
}

/// A warp takes a row.
template <class T>
__global__ void softmax_rows(SoftmaxArgs<T> args) {
  const std::int64_t row = global_thread() / warp_size;
  if (row >= args.rows) return;
  const int lane = static_cast<int>(threadIdx.x) % warp_size;
  const T* const x = args.x + row * args.channels;
  T* const y = args.y + row * args.channels;
  float top = -INFINITY;
  for (std::int64_t c = lane; c < args.channels; c += warp_size) top = max(top, to_float(x[c]));
  top = warp_max(top);
  float sum = 0.0f;
  for (std::int64_t c = lane; c < args.channels; c += warp_size) sum += expf(to_float(x[c]) - top);
  const float scale = 1.0f / warp_sum(sum);
  for (std::int64_t c = lane; c < args.channels; c += warp_size) {
    y[c] = from_float<T>(expf(to_float(x[c]) - top) * scale);
  }
}

/// A warp takes a row, of which a lane takes every 32nd pack.
template <class T, int N>
__global__ void gate_rows(GateArgs<T> args) {
  const std::int64_t row = global_thread() / warp_size;
  if (row >= args.rows) return;
  const std::int64_t first = static_cast<int>(threadIdx.x) % warp_size * N, step = warp_size * N;
  const T* const x = args.x + row * args.channels;
  const T* const spatial = args.spatial + row / args.rows_of_image * args.channels;
  const T* const channel = args.channel + row / args.rows_of_image * args.channels;
  T* const y = args.y + row * args.channels;
  using P = Pack<T, N>;
  float sum = 0.0f;
  for (std::int64_t c = first; c < args.channels; c += step) {
    const P values = *reinterpret_cast<const P*>(x + c), weights = *reinterpret_cast<const P*>(spatial + c);
    for (int i = 0; i < N; ++i) sum = fmaf(to_float(values.values[i]), to_float(weights.values[i]), sum);
  }
  const float map = activated<float>(args.scale * warp_sum(sum), Activation::sigmoid);
  for (std::int64_t c = first; c < args.channels; c += step) {
    P values = *reinterpret_cast<const P*>(x + c);
    const P weights = *reinterpret_cast<const P*>(channel + c);
    for (int i = 0; i < N; ++i) {
      values.values[i] = from_float<T>(map * to_float(values.values[i]) * to_float(weights.values[i]));
    }
    *reinterpret_cast<P*>(y + c) = values;
  }
}

}  // namespace device

template <class T>
void activate(const ActivateArgs<T>& args, Stream stream) {
  device::launch("activate", device::activate_elements<T>, device::elementwise_grid(args.count), stream,
                 args);
}
template <class T>
void add(const BinaryArgs<T>& args, Stream stream) {
  device::launch("add", device::combine_elements<T, device::Add>, device::elementwise_grid(args.count),
                 stream, args);
}
template <class T>
void multiply(const BinaryArgs<T>& args, Stream stream) {
  device::launch("multiply", device::combine_elements<T, device::Multiply>,
                 device::elementwise_grid(args.count), stream, args);
}

/// 16 bytes at a time where all rows and columns begin at multiples of that, and else an element.
template <class T>
void copy_columns(const CopyColumnsArgs<T>& args, Stream stream) {
  constexpr int width = device::widest_pack<T>;
  const auto aligned = [](const T* pointer) { return reinterpret_cast<std::uintptr_t>(pointer) % 16 == 0; };
  const bool wide = args.channels % width == 0 && args.x_step % width == 0 && args.y_step % width == 0 &&
                    aligned(args.x) && aligned(args.y);
  const auto grid = device::elementwise_grid(args.rows * args.channels / (wide ? width : 1));
  device::launch("copy_columns",
                 wide ? device::copy_columns_of<T, device::Pack<T, width>> : device::copy_columns_of<T, T>,
                 grid, stream, args);
}

template <class T>
void softmax(const SoftmaxArgs<T>& args, Stream stream) {
  constexpr int threads = 128;
  const device::Grid grid{device::blocks_of(args.rows, threads / device::warp_size), threads};
  device::launch("softmax", device::softmax_rows<T>, grid, stream, args);
}

/// Packs of 16 bytes where rows begin at multiples of that, and else single elements.
template <class T>
void gate(const GateArgs<T>& args, Stream stream) {
  constexpr int width = device::widest_pack<T>, threads = 128;
  const device::Grid grid{device::blocks_of(args.rows, threads / device::warp_size), threads};
  device::launch("gate", args.channels % width == 0 ? device::gate_rows<T, width> : device::gate_rows<T, 1>,
                 grid, stream, args);
}

template void activate(const ActivateArgs<float>&, Stream);
template void activate(const ActivateArgs<half>&, Stream);
template void activate(const ActivateArgs<bfloat16>&, Stream);
template void add(const BinaryArgs<float>&, Stream);
template void add(const BinaryArgs<half>&, Stream);
template void add(const BinaryArgs<bfloat16>&, Stream);
template void multiply(const BinaryArgs<float>&, Stream);
template void multiply(const BinaryArgs<half>&, Stream);
template void multiply(const BinaryArgs<bfloat16>&, Stream);
template void copy_columns(const CopyColumnsArgs<float>&, Stream);
template void copy_columns(const CopyColumnsArgs<half>&, Stream);
template void copy_columns(const CopyColumnsArgs<bfloat16>&, Stream);
template void softmax(const SoftmaxArgs<float>&, Stream);
template void softmax(const SoftmaxArgs<half>&, Stream);
template void softmax(const SoftmaxArgs<bfloat16>&, Stream);
template void gate(const GateArgs<float>&, Stream);
template void gate(const GateArgs<half>&, Stream);
template void gate(const GateArgs<bfloat16>&, Stream);

}  // namespace dformer::cuda
