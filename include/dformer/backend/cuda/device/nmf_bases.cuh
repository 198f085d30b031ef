#pragma once

#include <dformer/backend/cuda/device/nmf_core_tile.cuh>

namespace dformer::cuda::device {

constexpr int slice_channels = 64;  // of a block
constexpr int slice_columns = 32;
constexpr int slice_step = tile_step(slice_columns);
constexpr int slice_depth = 16;  // rows of a piece

/// What a warp multiplies at a time: 64 columns of a matrix, turned, by 32 of the coefficients, along 16
/// rows.
template <class E>
struct SlicesPiece {
  Pack<E, 8> left[4];
  Pack<float, 4> right[4];

  __device__ __forceinline__ void load(const E* from, std::int64_t step, bool has_columns, const float* with,
                                       std::int64_t with_step, std::int64_t row, std::int64_t last) {
    DFORMER_UNROLL
    for (int i = 0; i < 4; ++i) {
      const std::int64_t at = row + 4 * i;
      left[i] = pack_at<8>(from + at * step, has_columns && at < last);
      right[i] = pack_at<4>(with + at * with_step, at < last);
    }
  }
  __device__ __forceinline__ void add_to(float (&sums)[4][4][4]) const {
    DFORMER_UNROLL
    for (int s = 0; s < 4; s += 2) {
      DFORMER_UNROLL
      for (int m = 0; m < 4; ++m) {
        const std::uint32_t a[4] = {
            tf32_of(left[s].values[2 * m]), tf32_of(left[s].values[2 * m + 1]),
            tf32_of(left[s + 1].values[2 * m]), tf32_of(left[s + 1].values[2 * m + 1])};
        DFORMER_UNROLL
        for (int j = 0; j < 4; ++j) {
          multiply_add_tf32(a, {bits_of(right[s].values[j]), bits_of(right[s + 1].values[j])}, sums[m][j]);
        }
      }
    }
  }
};

/// left^T coefficients of the rows `first` to `last`, 64 columns of left from `channel` on by 32 coefficients
/// from `column` on. Each warp takes every eighth piece and lays its sums down in dynamic_shared; there, row 8
/// c + g stands for channel 8 g + c.
template <class E>
__device__ __forceinline__ void make_slice(const E* left, std::int64_t step, bool has_columns,
                                           const float* with, std::int64_t with_step, std::int64_t first,
                                           std::int64_t last) {
  const NmfLane lane;
  float sums[4][4][4] = {};
  SlicesPiece<E> now, next;
  const auto load = [&](std::int64_t row, SlicesPiece<E>& piece) {
    piece.load(left, step, has_columns, with, with_step, row + lane.place, last);
  };
  constexpr int stride = slice_depth * nmf_warps;
  load(first + slice_depth * lane.warp, now);
  for (std::int64_t row = first + slice_depth * lane.warp; row < last; row += 2 * stride) {
    load(row + stride, next);
    now.add_to(sums);
    load(row + 2 * stride, now);
    next.add_to(sums);
  }
  DFORMER_UNROLL
  for (int m = 0; m < 4; ++m) {
    DFORMER_UNROLL
    for (int i = 0; i < 4; ++i) {  // of two channels, two times four columns
      float* const to = dynamic_shared<float>() +
                        (lane.warp * slice_channels + 8 * (2 * m + i / 2) + lane.group) * slice_step +
                        8 * lane.place + 4 * (i % 2);
      *reinterpret_cast<Pack<float, 4>*>(to) = {sums[m][0][i], sums[m][1][i], sums[m][2][i], sums[m][3][i]};
    }
  }
}

/// A block makes 64 channels by 32 columns of one slice; the last 64 are the coefficients themselves.
template <class T>
__global__ void __launch_bounds__(nmf_threads) sum_in_slices(NmfSlicesArgs<T> args) {
  const NmfLane lane;
  const std::int64_t image = blockIdx.z, slice = blockIdx.y;
  const int tile = static_cast<int>(blockIdx.x / 2);
  const int column = static_cast<int>(blockIdx.x % 2) * slice_columns;
  const bool of_x = tile + 1 < static_cast<int>(gridDim.x / 2);
  const std::int64_t channel = of_x ? tile * slice_channels : 0;
  const std::int64_t channels = of_x ? args.channels : nmf_rank;
  const std::int64_t pieces = (args.rows + slice_depth - 1) / slice_depth;
  const std::int64_t rows = (pieces + args.slices - 1) / args.slices * slice_depth;
  const std::int64_t first = slice * rows, last = min(args.rows, first + rows);
  const float* const with = row_of(args.coefficients, image, 0) + column + 4 * lane.group;
  const std::int64_t own = channel + 8 * lane.group;
  if (of_x) {
    make_slice(row_of(args.x, image, 0) + own, args.x.step, own < channels, with, args.coefficients.step,
               first, last);
  } else {
    make_slice(row_of(args.coefficients, image, 0) + own, args.coefficients.step, true, with,
               args.coefficients.step, first, last);
  }
  __syncthreads();
  const std::int64_t height = args.channels + nmf_rank;
  float* const to = args.parts +
                    ((image * args.slices + slice) * height + (of_x ? 0 : args.channels) + channel) * nmf_rank +
                    column;
  DFORMER_UNROLL
  for (int i = 0; i < slice_channels * slice_columns / 4 / nmf_threads; ++i) {
    const int number = static_cast<int>(threadIdx.x) + i * nmf_threads;
    const int row = number / (slice_columns / 4), at = number % (slice_columns / 4) * 4;
    const int below = 8 * (row % 8) + row / 8;
    if (channel + below >= channels) continue;
    Pack<float, 4> sum = quad(dynamic_shared<float>() + row * slice_step + at);
    DFORMER_UNROLL
    for (int w = 1; w < nmf_warps; ++w) {
      add_quad(dynamic_shared<float>() + (w * slice_channels + row) * slice_step + at, sum);
    }
    *reinterpret_cast<Pack<float, 4>*>(to + below * nmf_rank + at) = sum;
  }
}
constexpr std::size_t slices_shared_bytes = sizeof(float) * nmf_warps * slice_channels * slice_step;

constexpr int bases_rows = 16;

/// A block updates 16 channels; the square is added up by each, which is what it mostly does.
__global__ void __launch_bounds__(nmf_threads) make_bases(NmfBasesArgs args) {
  alignas(16) __shared__ float square_tile[nmf_rank * nmf_step];
  alignas(16) __shared__ float values_tile[bases_rows * nmf_step];
  alignas(16) __shared__ float denominators[bases_rows * nmf_step];
  const NmfLane lane;
  const std::int64_t image = blockIdx.y, first = static_cast<std::int64_t>(blockIdx.x) * bases_rows;
  const std::int64_t size = (args.channels + nmf_rank) * nmf_rank;
  const float* const parts = args.parts + image * args.slices * size;
  const auto sum_of = [&](std::int64_t row, int column) {
    const float* const from = parts + row * nmf_rank + column;
    Pack<float, 4> sum = quad(from);
    for (std::int64_t s = 1; s < args.slices; ++s) add_quad(from + s * size, sum);
    return sum;
  };
  const auto keep = [&](const ImageMatrix<float>& to, std::int64_t row, int column,
                        const Pack<float, 4>& pack) {
    *reinterpret_cast<Pack<float, 4>*>(row_of(to, image, row) + column) = pack;
  };

  const int row = static_cast<int>(threadIdx.x) / (nmf_rank / 4);
  const int column = static_cast<int>(threadIdx.x) % (nmf_rank / 4) * 4;
  const bool there = first + row < args.channels;
  const auto values = pack_at<4>(row_of(args.values, image, first + row) + column, there);
  Pack<float, 4> numerator{};
  if (there) numerator = sum_of(first + row, column);
  *reinterpret_cast<Pack<float, 4>*>(values_tile + row * nmf_step + column) = values;
  DFORMER_UNROLL
  for (int i = 0; i < nmf_rank / bases_rows; ++i) {
    const int below = row + i * bases_rows;
    Pack<float, 4> sum = sum_of(args.channels + below, column);
    for (int c = 0; c < 4; ++c) sum.values[c] = rounded_to_tf32(sum.values[c]);
    *reinterpret_cast<Pack<float, 4>*>(square_tile + below * nmf_step + column) = sum;
    if (blockIdx.x == 0) keep(args.sums, args.channels + below, column, sum);
  }
  __syncthreads();
  NmfSquare square;
  square.load(square_tile, nmf_step, 8 * lane.warp);
  multiply_by_square<bases_rows / 16>(values_tile, square, denominators);
  __syncthreads();
  if (!there) return;
  keep(args.sums, first + row, column, numerator);
  keep(args.next, first + row, column,
       updated(values, numerator, quad(denominators + row * nmf_step + column)));
}

constexpr int gram_tile = 16;

/// A block makes 16 by 16 of the square, each warp an eighth of the depth.
__global__ void __launch_bounds__(nmf_threads) make_gram(NmfGramArgs args) {
  alignas(16) __shared__ float parts[nmf_warps][gram_tile][gram_tile];
  constexpr int tiles = nmf_rank / gram_tile;
  const NmfLane lane;
  const std::int64_t image = blockIdx.y;
  const int row = static_cast<int>(blockIdx.x) / tiles * gram_tile;
  const int column = static_cast<int>(blockIdx.x) % tiles * gram_tile;
  const float* const from = row_of(args.bases, image, lane.place) + 2 * lane.group;
  float sums[2][4] = {};
  constexpr int together = 8;
  for (std::int64_t first = 8 * lane.warp; first < args.channels; first += 8 * nmf_warps * together) {
    Pack<float, 2> left[together][2], right[together][2];
    DFORMER_UNROLL
    for (int s = 0; s < together; ++s) {
      const std::int64_t depth = first + 8 * nmf_warps * s;
      DFORMER_UNROLL
      for (int i = 0; i < 2; ++i) {
        const float* const at = from + (depth + 4 * i) * args.bases.step;
        left[s][i] = pack_at<2>(at + row, depth < args.channels);
        right[s][i] = pack_at<2>(at + column, depth < args.channels);
      }
    }
    DFORMER_UNROLL
    for (int s = 0; s < together; ++s) {
      const std::uint32_t a[4] = {bits_of(left[s][0].values[0]), bits_of(left[s][0].values[1]),
                                  bits_of(left[s][1].values[0]), bits_of(left[s][1].values[1])};
      DFORMER_UNROLL
      for (int j = 0; j < 2; ++j) {
        multiply_add_tf32(a, {bits_of(right[s][0].values[j]), bits_of(right[s][1].values[j])}, sums[j]);
      }
    }
  }
  DFORMER_UNROLL
  for (int i = 0; i < 4; ++i) {  // of two rows, two times two columns
    *reinterpret_cast<Pack<float, 2>*>(
        &parts[lane.warp][2 * lane.group + i / 2][4 * lane.place + 2 * (i % 2)]) = {sums[0][i], sums[1][i]};
  }
  __syncthreads();
  const int y = static_cast<int>(threadIdx.x) / gram_tile, x = static_cast<int>(threadIdx.x) % gram_tile;
  float sum = parts[0][y][x];
  DFORMER_UNROLL
  for (int w = 1; w < nmf_warps; ++w) sum += parts[w][y][x];
  row_of(args.gram, image, row + y)[column + x] = rounded_to_tf32(sum);
}

}  // namespace dformer::cuda::device
