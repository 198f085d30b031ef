#pragma once

#include <dformer/backend/cuda/device/activation.cuh>
#include <dformer/backend/cuda/device/launch.cuh>
#include <dformer/backend/cuda/kernels/epilogue.hpp>

namespace dformer::cuda {
namespace device {

/// N neighbouring elements as floats, from an address that is a multiple of 16 bytes or of all of them.
template <int N, class T>
__device__ __forceinline__ void load(const T* from, float (&to)[N]) {
  constexpr int width = N < widest_pack<T> ? N : widest_pack<T>;
  for (int part = 0; part < N; part += width) {
    const auto pack = *reinterpret_cast<const Pack<T, width>*>(from + part);
    for (int k = 0; k < width; ++k) to[part + k] = to_float(pack.values[k]);
  }
}

/// Makes of the sums of N neighbouring channels, from `channel` on, what Epilogue says; the first of them is
/// element `at` of the result. The operands are read in packs of N.
template <int N, class T>
__device__ __forceinline__ void apply_epilogue(const EpilogueOperands<T>& epilogue, std::int64_t channel,
                                               std::int64_t at, float (&y)[N]) {
  float operand[N];
  if (epilogue.scale != nullptr) {
    load(epilogue.scale + channel, operand);
    for (int k = 0; k < N; ++k) y[k] *= operand[k];
  }
  if (epilogue.shift != nullptr) {
    load(epilogue.shift + channel, operand);
    for (int k = 0; k < N; ++k) y[k] += operand[k];
  }
  for (int k = 0; k < N; ++k) y[k] = activated(y[k], epilogue.activation);
  if (epilogue.multiply != nullptr) {
    load(epilogue.multiply + at, operand);
    for (int k = 0; k < N; ++k) y[k] *= operand[k];
  }
  if (epilogue.layer_scale != nullptr) {
    load(epilogue.layer_scale + channel, operand);
    for (int k = 0; k < N; ++k) y[k] *= operand[k];
  }
  if (epilogue.residual != nullptr) {
    load(epilogue.residual + at, operand);
    for (int k = 0; k < N; ++k) y[k] += operand[k];
  }
  for (int k = 0; k < N; ++k) y[k] = activated(y[k], epilogue.final_activation);
}

/// Bound by memory: y is read and written once, multiply and residual read once; what is kept for each
/// channel stays in the caches. A thread takes a pack at a time, and finds its channel without dividing.
template <class T, int N>
__global__ void finish_sums(FinishArgs<T> args) {
  const std::int64_t packs = args.channels / N;
  const std::int64_t step = global_threads() % packs;
  std::int64_t column = global_thread() % packs;
  for (std::int64_t i = global_thread(); i < args.rows * packs; i += global_threads()) {
    float values[N];
    load(args.y + i * N, values);
    apply_epilogue(args.epilogue, column * N, i * N, values);
    Pack<T, N> pack;
    for (int k = 0; k < N; ++k) pack.values[k] = from_float<T>(values[k]);
    *reinterpret_cast<Pack<T, N>*>(args.y + i * N) = pack;
    column += step;
    if (column >= packs) column -= packs;
  }
}

}  // namespace device

/// 16 bytes at a time where rows are multiples of that, and else an element.
template <class T>
void finish(const FinishArgs<T>& args, Stream stream) {
  constexpr int width = device::widest_pack<T>;
  const bool wide = args.channels % width == 0;
  const auto grid = device::elementwise_grid(args.rows * args.channels / (wide ? width : 1));
  device::launch("finish", wide ? device::finish_sums<T, width> : device::finish_sums<T, 1>, grid, stream,
                 args);
}

template void finish(const FinishArgs<float>&, Stream);
template void finish(const FinishArgs<half>&, Stream);
template void finish(const FinishArgs<bfloat16>&, Stream);

}  // namespace dformer::cuda
