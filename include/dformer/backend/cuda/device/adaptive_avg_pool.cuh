#pragma once

#include <dformer/backend/cuda/device/block_of_packs.cuh>
#include <dformer/backend/cuda/device/floats.cuh>
#include <dformer/backend/cuda/device/launch.cuh>
#include <dformer/backend/cuda/kernels/resample.hpp>

namespace dformer::cuda {
namespace device {

/// The pixels that one element of the result is the mean of.
struct PoolWindow {
  std::int64_t first;  ///< pixel of x
  int rows;
  int columns;

  template <class T>
  __device__ __forceinline__ PoolWindow(const PoolArgs<T>& args, int window) {
    const int height = static_cast<int>(args.height), width = static_cast<int>(args.width);
    const int y_height = static_cast<int>(args.y_height), y_width = static_cast<int>(args.y_width);
    const int column = window % y_width, row_of_all = window / y_width;
    const int row = row_of_all % y_height, image = row_of_all / y_height;
    const int top = row * height / y_height, left = column * width / y_width;
    first = (image * args.height + top) * args.width + left;
    rows = ((row + 1) * height + y_height - 1) / y_height - top;
    columns = ((column + 1) * width + y_width - 1) / y_width - left;
  }
  __device__ __forceinline__ int pixels() const { return rows * columns; }
};

template <class T>
struct PoolBlockArgs {
  PoolArgs<T> pool;
  BlockOfPacks block;
};

/// Bound by memory, where x is read once. A block sums a part of a window for a group of packs: its positions
/// take pixels in turn, and their sums meet in shared memory.
template <class T, int N>
__global__ void pool_windows(PoolBlockArgs<T> blocks) {
  const PoolArgs<T>& args = blocks.pool;
  const BlockOfPacks& layout = blocks.block;
  const int splits = static_cast<int>(args.splits);
  int block = static_cast<int>(blockIdx.x);
  const int group = block % layout.groups;
  block /= layout.groups;
  const int split = block % splits, index = block / splits;
  const PoolWindow window(args, index);
  const int each = window.pixels() / splits,
            more = window.pixels() % splits;  // of the first `more`, one more
  const int begin = split * each + min(split, more), end = begin + each + (split < more ? 1 : 0);
  const int position = layout.position();
  const int first_channel = group * layout.packs * N, channel = first_channel + layout.pack() * N;
  const bool active = position < layout.positions && channel < args.channels;

  float* const shared = dynamic_shared<float>();  // [positions][packs * N]
  if (active) {
    const T* const x = args.x + window.first * args.channels + channel;
    Floats<N> sums = Floats<N>::zero();
    for (int pixel = begin + position; pixel < end; pixel += layout.positions) {
      const std::int64_t row = pixel / window.columns, column = pixel % window.columns;
      add_to(load_floats<N>(x + (row * args.width + column) * args.channels), sums);
    }
    store_floats(shared + (position * layout.packs + layout.pack()) * N, sums);
  }
  __syncthreads();
  const int channels = layout.packs * N;
  for (int c = static_cast<int>(threadIdx.x); c < channels && first_channel + c < args.channels;
       c += static_cast<int>(blockDim.x)) {
    const float sum = layout.sum_of_positions(shared, channels, c);
    if (args.splits == 1) {
      const float scale = 1.0f / static_cast<float>(window.pixels());
      args.y[index * args.y_channels + first_channel + c] = from_float<T>(sum * scale);
    } else {
      args.sums[(split * args.images * args.y_height * args.y_width + index) * args.channels + first_channel +
                c] = sum;
    }
  }
}

template <class T>
__global__ void pool_splits(PoolArgs<T> args) {
  const std::int64_t count = args.images * args.y_height * args.y_width * args.channels;
  for (std::int64_t i = global_thread(); i < count; i += global_threads()) {
    const std::int64_t index = i / args.channels, channel = i % args.channels;
    float sum = 0.0f;
    for (std::int64_t split = 0; split < args.splits; ++split) sum += args.sums[split * count + i];
    const float scale = 1.0f / static_cast<float>(PoolWindow(args, static_cast<int>(index)).pixels());
    args.y[index * args.y_channels + channel] = from_float<T>(sum * scale);
  }
}

template <int N, class T>
void launch_pool_windows(const PoolArgs<T>& args, Stream stream) {
  const auto extent = [](std::int64_t input, std::int64_t output) { return blocks_of(input, output) + 1; };
  const std::int64_t pixels = extent(args.height, args.y_height) * extent(args.width, args.y_width);
  const PoolBlockArgs<T> blocks{args, block_of_packs(args.channels / N, 256, blocks_of(pixels, args.splits))};
  const BlockOfPacks& block = blocks.block;
  const auto shared = static_cast<std::size_t>(block.positions * block.packs * N) * sizeof(float);
  launch("adaptive_avg_pool", pool_windows<T, N>,
         {args.windows() * args.splits * block.groups, block.threads(), shared}, stream, blocks);
}

}  // namespace device

template <class T>
void adaptive_avg_pool(const PoolArgs<T>& args, Stream stream) {
  constexpr int width = device::widest_pack<T>;
  if (args.channels == 0) return;
  if (args.channels % width == 0) {
    device::launch_pool_windows<width>(args, stream);
  } else {
    device::launch_pool_windows<1>(args, stream);
  }
  if (args.splits > 1) {
    device::launch("adaptive_avg_pool", device::pool_splits<T>,
                   device::elementwise_grid(args.windows() * args.channels), stream, args);
  }
}

template void adaptive_avg_pool(const PoolArgs<float>&, Stream);
template void adaptive_avg_pool(const PoolArgs<half>&, Stream);
template void adaptive_avg_pool(const PoolArgs<bfloat16>&, Stream);

}  // namespace dformer::cuda
