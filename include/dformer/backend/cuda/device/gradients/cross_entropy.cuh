#pragma once

#include <dformer/backend/cuda/device/launch.cuh>
#include <dformer/backend/cuda/device/resize_tap.cuh>
#include <dformer/backend/cuda/kernels/gradients/cross_entropy.hpp>

namespace dformer::cuda {
namespace device {

/// Over `Lanes` neighbouring lanes, in each of them.
template <int Lanes>
__device__ __forceinline__ float lanes_sum(float value) {
  DFORMER_UNROLL
  for (int step = Lanes / 2; step > 0; step /= 2) value += __shfl_xor_sync(all_lanes, value, step);
  return value;
}
template <int Lanes>
__device__ __forceinline__ float lanes_max(float value) {
  DFORMER_UNROLL
  for (int step = Lanes / 2; step > 0; step /= 2) value = max(value, __shfl_xor_sync(all_lanes, value, step));
  return value;
}

/// A warp takes a cell, and `Lanes` of its lanes a pixel at a time, `Each` classes a lane: those at its
/// number and every `Lanes`-th from there. The logits of a pixel are interpolated in registers, as is their
/// gradient summed over the pixels for each of the four corners; nothing of a pixel goes to memory. Bound by
/// the exponentials, one for each class of a pixel.
template <int Lanes, int Each>
struct CrossEntropyCell {
  float upper_left[Each], upper_right[Each], lower_left[Each], lower_right[Each];  ///< logits of the corners
  float gradients[4][Each];                                                        ///< in the same order
  float smoothing[Each];
  double loss;

  template <class T>
  __device__ __forceinline__ CrossEntropyCell(const CrossEntropyArgs<T>& args, std::int64_t cell, int lane)
      : loss(0.0) {
    const std::int64_t width = args.columns.input;
    const std::int64_t right = cell % width + 1 < width ? args.classes : 0;
    const std::int64_t below =
        cell / width % args.rows.input + 1 < args.rows.input ? width * args.classes : 0;
    const T* const logits = args.logits + cell * args.classes;
    DFORMER_UNROLL
    for (int i = 0; i < Each; ++i) {
      const int c = lane + i * Lanes;
      const bool exists = c < args.classes;
      upper_left[i] = exists ? to_float(logits[c]) : 0.0f;
      upper_right[i] = exists ? to_float(logits[right + c]) : 0.0f;
      lower_left[i] = exists ? to_float(logits[below + c]) : 0.0f;
      lower_right[i] = exists ? to_float(logits[below + right + c]) : 0.0f;
      smoothing[i] = exists ? args.smoothing[c] : 0.0f;
      DFORMER_UNROLL
      for (int corner = 0; corner < 4; ++corner) gradients[corner][i] = 0.0f;
    }
  }

  /// A pixel that lies `across` and `down` of the way to the right and to the lower corners; all of a warp
  /// must come here, those without a pixel with a total weight of 0.
  __device__ __forceinline__ void add_pixel(int classes, int lane, int label, float total_weight,
                                            float target_weight, float across, float down) {
    float logits[Each];
    float top = -INFINITY;
    DFORMER_UNROLL
    for (int i = 0; i < Each; ++i) {
      const float left = interpolated(upper_left[i], lower_left[i], down);
      const float right = interpolated(upper_right[i], lower_right[i], down);
      logits[i] = interpolated(left, right, across);
      if (lane + i * Lanes < classes) top = max(top, logits[i]);
    }
    top = lanes_max<Lanes>(top);
    float powers = 0.0f, lost = 0.0f;
    DFORMER_UNROLL
    for (int i = 0; i < Each; ++i) {
      const int c = lane + i * Lanes;
      const float distance = logits[i] - top;
      lost -= smoothing[i] * distance;
      if (c == label) lost -= target_weight * distance;
      logits[i] = c < classes ? expf(distance) : 0.0f;
      powers += logits[i];
    }
    powers = lanes_sum<Lanes>(powers);
    lost = lanes_sum<Lanes>(lost);
    if (label < 0) return;
    if (lane == 0) loss += static_cast<double>(fmaf(total_weight, logf(powers), lost));
    const float scale = total_weight / powers;
    DFORMER_UNROLL
    for (int i = 0; i < Each; ++i) {
      const float target = lane + i * Lanes == label ? target_weight : 0.0f;
      const float gradient = fmaf(logits[i], scale, -target) - smoothing[i];
      const float upper = (1.0f - down) * gradient, lower = down * gradient;
      gradients[0][i] = fmaf(1.0f - across, upper, gradients[0][i]);
      gradients[1][i] = fmaf(across, upper, gradients[1][i]);
      gradients[2][i] = fmaf(1.0f - across, lower, gradients[2][i]);
      gradients[3][i] = fmaf(across, lower, gradients[3][i]);
    }
  }
};

template <class T, int Lanes, int Each>
__global__ void __launch_bounds__(128) cross_entropy_cells(CrossEntropyArgs<T> args) {
  constexpr int groups = warp_size / Lanes;  // pixels that a warp takes at a time
  constexpr int warps = static_cast<int>(CrossEntropyArgs<T>::cells_of_a_block);
  __shared__ double losses[warps];
  const int warp = static_cast<int>(threadIdx.x) / warp_size;
  const int lane = static_cast<int>(threadIdx.x) % Lanes,
            group = static_cast<int>(threadIdx.x) % warp_size / Lanes;
  const std::int64_t cell_count = args.images * args.rows.input * args.columns.input;
  const std::int64_t index = static_cast<std::int64_t>(blockIdx.x) * warps + warp;
  double loss = 0.0;
  if (index < cell_count) {
    const std::int64_t image = index / args.columns.input / args.rows.input;
    const int x_row = static_cast<int>(index / args.columns.input % args.rows.input);
    const int x_column = static_cast<int>(index % args.columns.input);
    const int first_row = first_output(args.rows, x_row), last_row = first_output(args.rows, x_row + 1);
    const int first = first_output(args.columns, x_column),
              width = first_output(args.columns, x_column + 1) - first;
    const int pixels = (last_row - first_row) * width;
    const std::uint8_t* const labels =
        args.labels + (image * args.rows.output + first_row) * args.columns.output + first;
    CrossEntropyCell<Lanes, Each> cell(args, index, lane);
    int row = 0, column = group;
    for (int begin = 0; begin < pixels; begin += groups, column += groups) {
      for (; column >= width; column -= width) ++row;
      int label = -1;
      float across = 0.0f, down = 0.0f, total_weight = 0.0f, target_weight = 0.0f;
      if (begin + group < pixels) {
        label = labels[std::int64_t{row} * args.columns.output + column];
        if (label >= args.classes || label == args.ignore_index) label = -1;
        if (label >= 0) {
          across = resize_tap(args.columns, first + column).weight;
          down = resize_tap(args.rows, first_row + row).weight;
          total_weight = args.total_weight[label];
          target_weight = args.target_weight[label];
        }
      }
      cell.add_pixel(args.classes, lane, label, total_weight, target_weight, across, down);
    }
    for (int step = Lanes; step < warp_size; step *= 2) {
      cell.loss += __shfl_xor_sync(all_lanes, cell.loss, step);
      DFORMER_UNROLL
      for (int i = 0; i < Each; ++i) {
        DFORMER_UNROLL
        for (int corner = 0; corner < 4; ++corner) {
          cell.gradients[corner][i] += __shfl_xor_sync(all_lanes, cell.gradients[corner][i], step);
        }
      }
    }
    loss = cell.loss;
    if (group == 0) {
      float* const corners = args.corners + index * 4 * args.classes;
      DFORMER_UNROLL
      for (int i = 0; i < Each; ++i) {
        const int c = lane + i * Lanes;
        if (c >= args.classes) break;
        DFORMER_UNROLL
        for (int corner = 0; corner < 4; ++corner)
          corners[corner * args.classes + c] = cell.gradients[corner][i];
      }
    }
  }
  if (threadIdx.x % warp_size == 0) losses[warp] = loss;
  __syncthreads();
  if (threadIdx.x != 0) return;
  for (int i = 1; i < warps; ++i) loss += losses[i];
  args.losses[blockIdx.x] = loss;
}

/// The gradient at a pixel of the input: what the four cells around it gave. Where there is no cell to the
/// right or below, a cell's right or lower corners are its left or upper ones.
template <class T>
__global__ void cross_entropy_corners(CrossEntropyArgs<T> args) {
  const std::int64_t width = args.columns.input, classes = args.classes;
  const std::int64_t count = args.images * args.rows.input * width * classes;
  for (std::int64_t i = global_thread(); i < count; i += global_threads()) {
    const std::int64_t cell = i / classes, c = i % classes;
    const std::int64_t column = cell % width, row = cell / width % args.rows.input;
    const auto corner = [&](std::int64_t of, int which) {
      return args.corners[(of * 4 + which) * classes + c];
    };
    const bool last_column = column + 1 == width, last_row = row + 1 == args.rows.input;
    float sum = corner(cell, 0);
    if (last_column) sum += corner(cell, 1);
    if (last_row) sum += corner(cell, 2);
    if (last_column && last_row) sum += corner(cell, 3);
    if (column > 0) {
      sum += corner(cell - 1, 1);
      if (last_row) sum += corner(cell - 1, 3);
    }
    if (row > 0) {
      sum += corner(cell - width, 2);
      if (last_column) sum += corner(cell - width, 3);
      if (column > 0) sum += corner(cell - width - 1, 3);
    }
    args.gradient[i] = from_float<T>(sum * args.gradient_scale);
  }
}

constexpr int loss_threads = 256;

/// One block, whose threads take losses in turn.
template <class T>
__global__ void sum_losses(CrossEntropyArgs<T> args) {
  __shared__ double sums[loss_threads];
  const int thread = static_cast<int>(threadIdx.x);
  const std::int64_t cells = args.images * args.rows.input * args.columns.input;
  const std::int64_t blocks = (cells + args.cells_of_a_block - 1) / args.cells_of_a_block;
  double sum = 0.0;
  for (std::int64_t i = thread; i < blocks; i += loss_threads) sum += args.losses[i];
  sums[thread] = sum;
  for (int half_of = loss_threads / 2; half_of > 0; half_of /= 2) {
    __syncthreads();
    if (thread < half_of) sums[thread] += sums[thread + half_of];
  }
  if (thread == 0) *args.loss = sums[0];
}

}  // namespace device

template <class T>
void cross_entropy(const CrossEntropyArgs<T>& args, Stream stream) {
  using namespace device;
  // Few lanes a pixel exchange less; as many classes a lane as the registers allow for all four corners.
  auto* const cells = args.classes <= 40    ? cross_entropy_cells<T, 8, 5>
                      : args.classes <= 64  ? cross_entropy_cells<T, 8, 8>
                      : args.classes <= 160 ? cross_entropy_cells<T, 32, 5>
                                            : cross_entropy_cells<T, 32, 8>;
  launch("cross_entropy", cells, {args.blocks(), 128}, stream, args);
  launch("cross_entropy", cross_entropy_corners<T>, elementwise_grid(args.cells() * args.classes), stream,
         args);
  launch("cross_entropy", sum_losses<T>, {1, loss_threads}, stream, args);
}

template void cross_entropy(const CrossEntropyArgs<float>&, Stream);
template void cross_entropy(const CrossEntropyArgs<half>&, Stream);
template void cross_entropy(const CrossEntropyArgs<bfloat16>&, Stream);

}  // namespace dformer::cuda
