#pragma once

#include <dformer/backend/cuda/device/compensated_sum.cuh>
#include <dformer/backend/cuda/device/floats.cuh>
#include <dformer/backend/cuda/device/launch.cuh>
#include <dformer/backend/cuda/kernels/gradients/optimizer.hpp>

// Steps go through memory once: values, gradients and moments are read and written 16 bytes at a time, and
// that is what bounds them. A network has hundreds of parameters, most of them small, so one kernel takes
// all.
namespace dformer::cuda {
namespace device {

constexpr int chunk_threads = 256;

/// The last array whose first chunk is not behind this block's.
template <class Args>
__device__ __forceinline__ int array_of_block(const ArgsList<Args>& list) {
  const std::int64_t chunk = blockIdx.x;
  int first = 0, end = list.count;
  while (end - first > 1) {
    const int middle = (first + end) / 2;
    if (list.args[middle].first_chunk <= chunk) {
      first = middle;
    } else {
      end = middle;
    }
  }
  return first;
}

/// As for_each_pack, over the chunk of this block alone.
template <class T, class Body>
__device__ __forceinline__ void for_each_pack_of_chunk(std::int64_t first_chunk, std::int64_t count,
                                                       const Body& body) {
  constexpr int width = widest_pack<T>;
  const std::int64_t begin = (blockIdx.x - first_chunk) * elements_of_chunk;
  const std::int64_t end = begin + elements_of_chunk < count ? begin + elements_of_chunk : count;
  const std::int64_t packs_end = end - (end - begin) % width;
  const auto thread = static_cast<std::int64_t>(threadIdx.x);
  for (std::int64_t i = begin + thread * width; i < packs_end; i += chunk_threads * width) body.pack(i);
  for (std::int64_t i = packs_end + thread; i < end; i += chunk_threads) body.element(i);
}

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
struct AdamWChange {
  const Args& args;
  template <int N>
  __device__ __forceinline__ void update(std::int64_t i, Floats<N>& values) const {
    const Floats<N> gradient = load_floats<N>(args.gradient + i);
    Floats<N> mean = load_floats<N>(args.mean + i), squares = load_floats<N>(args.squares + i);
    DFORMER_UNROLL
    for (int k = 0; k < N; ++k) {
      const float g = args.factor * gradient.values[k];
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
struct SgdChange {
  const Args& args;
  template <int N>
  __device__ __forceinline__ void update(std::int64_t i, Floats<N>& values) const {
    Floats<N> move = load_floats<N>(args.gradient + i);
    DFORMER_UNROLL
    for (float& value : move.values) value *= args.factor;
    multiply_add(args.weight_decay, values, move);
    if (args.momentum != 0.0f) multiply_add(args.momentum, load_floats<N>(args.momentum_buffer + i), move);
    if (args.momentum_buffer != nullptr) store_floats(args.momentum_buffer + i, move);
    multiply_add(-args.lr, move, values);
  }
};

template <class Args>
struct AverageChange {
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

template <class T, template <class> class Change, class Args>
__global__ void change_arrays(ArgsList<Args> list) {
  const Args args = list.args[array_of_block(list)];
  for_each_pack_of_chunk<float>(args.first_chunk, args.target.count,
                                UpdateInPlace<T, Change<Args>>{args.target, {args}});
}

template <class T, template <class> class Change, class Args>
void launch_change(const char* name, const ArgsList<Args>& list, Stream stream) {
  launch(name, change_arrays<T, Change, Args>, Grid{list.chunks, chunk_threads}, stream, list);
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

template <class T>
struct SumOfChunks {
  ArgsList<SquaresArgs<T>> list;
  double* partial;
};
template <class T>
__global__ void sum_squares_of_chunks(SumOfChunks<T> args) {
  const SquaresArgs<T> squares = args.list.args[array_of_block(args.list)];
  CompensatedSum sum;
  for_each_pack_of_chunk<T>(squares.first_chunk, squares.count, SquareElements<T>{squares.x, sum});
  const double total = block_sum<chunk_threads>(sum.value());
  if (threadIdx.x == 0) args.partial[blockIdx.x] = total;
}

struct SumPartial {
  const double* partial;
  std::int64_t count;
  double* result;
};
template <int Threads>
__global__ void sum_partial(SumPartial args) {
  double sum = 0.0;
  for (std::int64_t i = threadIdx.x; i < args.count; i += Threads) sum += args.partial[i];
  const double total = block_sum<Threads>(sum);
  if (threadIdx.x == 0) *args.result = total;
}

}  // namespace device

template <class T>
void adamw(const ArgsList<AdamWArgs<T>>& list, Stream stream) {
  device::launch_change<T, device::AdamWChange>("adamw", list, stream);
}
template <class T>
void sgd(const ArgsList<SgdArgs<T>>& list, Stream stream) {
  device::launch_change<T, device::SgdChange>("sgd", list, stream);
}
template <class T>
void average_to(const ArgsList<AverageArgs<T>>& list, Stream stream) {
  device::launch_change<T, device::AverageChange>("average_to", list, stream);
}

template <class T>
void sum_of_squares(const ArgsList<SquaresArgs<T>>& list, double* partial, double* result, Stream stream) {
  device::launch("sum_of_squares", device::sum_squares_of_chunks<T>,
                 device::Grid{list.chunks, device::chunk_threads}, stream,
                 device::SumOfChunks<T>{list, partial});
  constexpr int threads = 1024;
  device::launch("sum_of_squares", device::sum_partial<threads>, device::Grid{1, threads}, stream,
                 device::SumPartial{partial, list.chunks, result});
}

template void adamw(const ArgsList<AdamWArgs<float>>&, Stream);
template void adamw(const ArgsList<AdamWArgs<half>>&, Stream);
template void adamw(const ArgsList<AdamWArgs<bfloat16>>&, Stream);
template void sgd(const ArgsList<SgdArgs<float>>&, Stream);
template void sgd(const ArgsList<SgdArgs<half>>&, Stream);
template void sgd(const ArgsList<SgdArgs<bfloat16>>&, Stream);
template void average_to(const ArgsList<AverageArgs<float>>&, Stream);
template void average_to(const ArgsList<AverageArgs<half>>&, Stream);
template void average_to(const ArgsList<AverageArgs<bfloat16>>&, Stream);
template void sum_of_squares(const ArgsList<SquaresArgs<float>>&, double*, double*, Stream);
template void sum_of_squares(const ArgsList<SquaresArgs<half>>&, double*, double*, Stream);
template void sum_of_squares(const ArgsList<SquaresArgs<bfloat16>>&, double*, double*, Stream);

}  // namespace dformer::cuda
