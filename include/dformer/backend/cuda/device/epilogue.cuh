#pragma once

#include <dformer/backend/cuda/device/epilogue_element.cuh>
#include <dformer/backend/cuda/device/floats.cuh>
#include <dformer/backend/cuda/device/launch.cuh>
#include <dformer/backend/cuda/kernels/epilogue.hpp>

namespace dformer::cuda {
namespace device {

/// Bound by memory: y is read and written once, multiply and residual read once; what is kept for each
/// channel stays in the caches. A thread takes a pack at a time, and finds its channel without dividing.
template <class T, int N>
__global__ void finish_sums(FinishArgs<T> args) {
  const std::int64_t packs = args.channels / N;
  const std::int64_t step = global_threads() % packs;
  std::int64_t column = global_thread() % packs;
  for (std::int64_t i = global_thread(); i < args.rows * packs; i += global_threads()) {
    Floats<N> values = load_floats<N>(args.y + i * N);
    apply_epilogue(args.epilogue, column * N, i * N, values);
    store_floats(args.y + i * N, values);
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
