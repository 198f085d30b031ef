#pragma once

#include <dformer/backend/cuda/device/compensated_sum.cuh>
#include <dformer/backend/cuda/device/elementwise.cuh>
#include <dformer/backend/cuda/device/floats.cuh>
#include <dformer/backend/cuda/device/launch.cuh>
#include <dformer/backend/cuda/kernels/gradients/optimizer.hpp>

// Steps go through memory once: values, gradients and moments are read and written 16 bytes at a time, and
// that is what bounds them.
namespace dformer::cuda {
namespace device {

/// Changes N values from element `i` on by step.update, and rounds them for the network.
template <class T, class Step>
struct UpdateInPlace {
  StepTarget<T> target;
  Step step;

  template <int N>
  __device__ __forceinline__ void update(std::int64_t i) const {
    Floats<N> values = load_floats<N>(target.value + i);
    step.update(i, values);
    store_floats(target.value + i, values);
    if (target.rounded != nullptr) store_floats(target.rounded + i, values);
  }
  __device__ __forceinline__ void element(std::int64_t i) const { update<1>(i); }
  __device__ __forceinline__ void pack(std::int64_t i) const { update<widest_pack<float>>(i); }
};

template <class Args>
struct AdamWUpdate {
  const Args& args;
  template <int N>
  __device__ __forceinline__ void update(std::int64_t i, Floats<N>& values) const {
    const Floats<N> gradient = load_floats<N>(args.gradient + i);
    Floats<N> mean = load_floats<N>(args.mean + i), squares = load_floats<N>(args.squares + i);
    DFORMER_UNROLL
    for (int k = 0; k < N; ++k) {
      const float g = gradient.values[k];
      float& m = mean.values[k];
      float& s = squares.values[k];
      m = fmaf(args.one_minus_beta1, g, args.beta1 * m);
      s = fmaf(args.one_minus_beta2 * g, g, args.beta2 * s);
      const float root = fmaf(args.root_scale, sqrtf(s), args.eps);
      values.values[k] = args.keep * values.values[k] - args.step * m / root;
    }
    store_floats(args.mean + i, mean);
    store_floats(args.squares + i, squares);
  }
};

template <class Args>
struct SgdUpdate {
  const Args& args;
  template <int N>
  __device__ __forceinline__ void update(std::int64_t i, Floats<N>& values) const {
    Floats<N> move = load_floats<N>(args.gradient + i);
    multiply_add(args.weight_decay, values, move);
    if (args.momentum != 0.0f) multiply_add(args.momentum, load_floats<N>(args.momentum_buffer + i), move);
    if (args.momentum_buffer != nullptr) store_floats(args.momentum_buffer + i, move);
    multiply_add(-args.lr, move, values);
  }
};

template <class Args>
struct AverageUpdate {
  const Args& args;
  template <int N>
  __device__ __forceinline__ void update(std::int64_t i, Floats<N>& values) const {
    const Floats<N> x = load_floats<N>(args.x + i);
    DFORMER_UNROLL
    for (int k = 0; k < N; ++k) {
      values.values[k] = fmaf(args.share, x.values[k], args.decay * values.values[k]);
    }
  }
};

template <class T, template <class> class Update, class Args>
__global__ void update_elements(Args args) {
  for_each_pack<float>(args.target.count, UpdateInPlace<T, Update<Args>>{args.target, {args}});
}

template <class T, template <class> class Update, class Args>
void launch_update(const char* name, const Args& args, Stream stream) {
  constexpr int width = widest_pack<float>;
  launch(name, update_elements<T, Update, Args>, elementwise_grid(blocks_of(args.target.count, width)),
         stream, args);
}

/// A thread's part of a sum of squares.
template <class T>
struct SquareElements {
  const T* x;
  CompensatedSum& sum;

  __device__ __forceinline__ void element(std::int64_t i) const {
    const float value = to_float(x[i]);
    sum.add_product(value, value);
  }
  __device__ __forceinline__ void pack(std::int64_t i) const {
    constexpr int width = widest_pack<T>;
    const Floats<width> values = load_floats<width>(x + i);
    DFORMER_UNROLL
    for (int k = 0; k < width; ++k) sum.add_product(values.values[k], values.values[k]);
  }
};

/// The sum over the threads of a block, in its first thread.
template <int Threads>
__device__ __forceinline__ double block_sum(double value) {
  constexpr int warps = Threads / warp_size;
  __shared__ double shared[warps];
  for (int step = warp_size / 2; step > 0; step /= 2) value += __shfl_down_sync(all_lanes, value, step);
  const int thread = static_cast<int>(threadIdx.x);
  if (thread % warp_size == 0) shared[thread / warp_size] = value;
  __syncthreads();
  double sum = 0.0;
  if (thread == 0) {
    for (int warp = 0; warp < warps; ++warp) sum += shared[warp];
  }
  return sum;
}

constexpr int sum_threads = 256;

template <class T>
__global__ void sum_squares_of_blocks(SumOfSquaresArgs<T> args) {
  CompensatedSum sum;
  for_each_pack<T>(args.count, SquareElements<T>{args.x, sum});
  const double total = block_sum<sum_threads>(sum.value());
  if (threadIdx.x == 0) args.partial[blockIdx.x] = total;
}

struct SumBlocks {
  const double* partial;
  std::int64_t blocks;
  double* result;
};
template <int Threads>
__global__ void sum_blocks(SumBlocks args) {
  double sum = 0.0;
  for (std::int64_t i = threadIdx.x; i < args.blocks; i += Threads) sum += args.partial[i];
  const double total = block_sum<Threads>(sum);
  if (threadIdx.x == 0) *args.result = total;
}

}  // namespace device

template <class T>
void adamw(const AdamWArgs<T>& args, Stream stream) {
  device::launch_update<T, device::AdamWUpdate>("adamw", args, stream);
}
template <class T>
void sgd(const SgdArgs<T>& args, Stream stream) {
  device::launch_update<T, device::SgdUpdate>("sgd", args, stream);
}
template <class T>
void average_to(const AverageArgs<T>& args, Stream stream) {
  device::launch_update<T, device::AverageUpdate>("average_to", args, stream);
}

/// Blocks by the count alone, 16 packs for each thread, so that the sum is the same on every GPU.
template <class T>
void sum_of_squares(const SumOfSquaresArgs<T>& args, Stream stream) {
  constexpr std::int64_t elements_of_block = std::int64_t{device::sum_threads} * 16 * device::widest_pack<T>;
  const std::int64_t wanted = args.count == 0 ? 1 : device::blocks_of(args.count, elements_of_block);
  const std::int64_t blocks = wanted < args.most_blocks ? wanted : args.most_blocks;
  device::launch("sum_of_squares", device::sum_squares_of_blocks<T>,
                 device::Grid{blocks, device::sum_threads}, stream, args);
  device::launch("sum_of_squares", device::sum_blocks<device::sum_threads>,
                 device::Grid{1, device::sum_threads}, stream,
                 device::SumBlocks{args.partial, blocks, args.result});
}

template void adamw(const AdamWArgs<float>&, Stream);
template void adamw(const AdamWArgs<half>&, Stream);
template void adamw(const AdamWArgs<bfloat16>&, Stream);
template void sgd(const SgdArgs<float>&, Stream);
template void sgd(const SgdArgs<half>&, Stream);
template void sgd(const SgdArgs<bfloat16>&, Stream);
template void average_to(const AverageArgs<float>&, Stream);
template void average_to(const AverageArgs<half>&, Stream);
template void average_to(const AverageArgs<bfloat16>&, Stream);
template void sum_of_squares(const SumOfSquaresArgs<float>&, Stream);
template void sum_of_squares(const SumOfSquaresArgs<half>&, Stream);
template void sum_of_squares(const SumOfSquaresArgs<bfloat16>&, Stream);

}  // namespace dformer::cuda
