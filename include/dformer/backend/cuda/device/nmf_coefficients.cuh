#pragma once

#include <dformer/backend/cuda/device/nmf_core_tile.cuh>

namespace dformer::cuda::device {

/// Rows of a block: the 4800 of a picture of 480x640 are 100 blocks. Each reads all of the bases, 128 KiB of
/// them beside its own 48 KiB of x, so that fewer and larger blocks would read less and more would wait less.
constexpr int nmf_rows = 48;
constexpr int nmf_depth_parts = 4;

/// What a warp multiplies at a time: 48 rows of x by 32 bases, along 32 channels, of which a thread has 8
/// neighbouring ones.
template <class T>
struct CoefficientsPiece {
  Pack<T, 8> x[nmf_rows / 8];
  Pack<float, 4> bases[8];

  /// `rows`: x at this thread's first channel, of each of its rows; `right`: the bases' row of it.
  __device__ __forceinline__ void load(const T* const (&rows)[nmf_rows / 8], const float* right,
                                       std::int64_t step, std::int64_t channel, bool valid) {
    DFORMER_UNROLL
    for (int i = 0; i < 8; ++i) bases[i] = pack_at<4>(right + (channel + i) * step, valid);
    DFORMER_UNROLL
    for (int i = 0; i < nmf_rows / 8; ++i) x[i] = pack_at<8>(rows[i] + channel, valid);
  }
  __device__ __forceinline__ void add_to(float (&sums)[nmf_rows / 16][4][4]) const {
    DFORMER_UNROLL
    for (int s = 0; s < 4; ++s) {
      std::uint32_t left[nmf_rows / 16][4];
      DFORMER_UNROLL
      for (int m = 0; m < nmf_rows / 16; ++m) {
        DFORMER_UNROLL
        for (int i = 0; i < 4; ++i) left[m][i] = tf32_of(x[2 * m + i % 2].values[2 * s + i / 2]);
      }
      DFORMER_UNROLL
      for (int j = 0; j < 4; ++j) {
        const std::uint32_t right[2] = {bits_of(bases[2 * s].values[j]), bits_of(bases[2 * s + 1].values[j])};
        DFORMER_UNROLL
        for (int m = 0; m < nmf_rows / 16; ++m) multiply_add_tf32(left[m], right, sums[m][j]);
      }
    }
  }
};

/// x bases of the block's rows from `first` on: each warp makes 32 columns, of one part of the depth, and
/// lays them down in `parts` [nmf_depth_parts, nmf_rows, 64].
template <class T>
__device__ __forceinline__ void make_numerator(const NmfCoefficientsArgs<T>& args, std::int64_t image,
                                               std::int64_t first, float* parts) {
  const NmfLane lane;
  const int part = lane.warp % nmf_depth_parts, column = lane.warp / nmf_depth_parts * (nmf_rank / 2);
  const T* rows[nmf_rows / 8];
  DFORMER_UNROLL
  for (int i = 0; i < nmf_rows / 8; ++i) {
    rows[i] = row_of(args.x, image, min(first + 8 * i + lane.group, args.rows - 1));
  }
  const float* const right = row_of(args.bases, image, 0) + column + 4 * lane.group;
  float sums[nmf_rows / 16][4][4] = {};
  CoefficientsPiece<T> now, next;
  const auto load = [&](std::int64_t depth, CoefficientsPiece<T>& piece) {
    const std::int64_t channel = depth + 8 * lane.place;
    piece.load(rows, right, args.bases.step, channel, channel < args.channels);
  };
  constexpr int stride = 32 * nmf_depth_parts;
  load(32 * part, now);
  for (std::int64_t depth = 32 * part; depth < args.channels; depth += 2 * stride) {
    load(depth + stride, next);
    now.add_to(sums);
    load(depth + 2 * stride, now);
    next.add_to(sums);
  }
  DFORMER_UNROLL
  for (int m = 0; m < nmf_rows / 16; ++m) {
    DFORMER_UNROLL
    for (int i = 0; i < 4; ++i) {  // of two rows, two times four columns
      float* const to = parts + (part * nmf_rows + 16 * m + 8 * (i / 2) + lane.group) * nmf_step + column +
                        8 * lane.place + 4 * (i % 2);
      *reinterpret_cast<Pack<float, 4>*>(to) = {sums[m][0][i], sums[m][1][i], sums[m][2][i], sums[m][3][i]};
    }
  }
}

/// softmax(inv_t * similarities) of a row, which 16 neighbouring lanes share, as it is kept.
__device__ __forceinline__ Pack<float, 4> first_coefficients(const Pack<float, 4>& similarities,
                                                             float inv_t) {
  Pack<float, 4> result;
  float top = -INFINITY, sum = 0.0f;
  for (int c = 0; c < 4; ++c) top = max(top, inv_t * similarities.values[c]);
  for (int step = 8; step > 0; step /= 2) top = max(top, __shfl_xor_sync(all_lanes, top, step));
  for (int c = 0; c < 4; ++c) sum += result.values[c] = expf(inv_t * similarities.values[c] - top);
  for (int step = 8; step > 0; step /= 2) sum += __shfl_xor_sync(all_lanes, sum, step);
  const float scale = 1.0f / sum;
  for (int c = 0; c < 4; ++c) result.values[c] = rounded_to_tf32(result.values[c] * scale);
  return result;
}

template <class T>
__global__ void __launch_bounds__(nmf_threads) make_coefficients(NmfCoefficientsArgs<T> args) {
  constexpr int quads = nmf_rows * nmf_rank / 4 / nmf_threads;
  const NmfLane lane;
  const std::int64_t image = blockIdx.y, first = static_cast<std::int64_t>(blockIdx.x) * nmf_rows;
  float* const parts = dynamic_shared<float>();
  float* const tile = parts + nmf_depth_parts * nmf_rows * nmf_step;

  make_numerator(args, image, first, parts);
  NmfSquare gram;
  gram.load(row_of(args.gram, image, 0), args.gram.step, 8 * lane.warp);
  // From here on a thread has some quads of the rows.
  const int column = static_cast<int>(threadIdx.x) % (nmf_rank / 4) * 4;
  const auto row = [&](int i) { return static_cast<int>(threadIdx.x + i * nmf_threads) / (nmf_rank / 4); };
  Pack<float, 4> values[quads], numerator[quads];
  if (args.values.data != nullptr) {
    DFORMER_UNROLL
    for (int i = 0; i < quads; ++i) {
      const bool there = first + row(i) < args.rows;
      values[i] = pack_at<4>(row_of(args.values, image, first + row(i)) + column, there);
    }
  }
  __syncthreads();
  DFORMER_UNROLL
  for (int i = 0; i < quads; ++i) {
    numerator[i] = quad(parts + row(i) * nmf_step + column);
    DFORMER_UNROLL
    for (int p = 1; p < nmf_depth_parts; ++p) {
      add_quad(parts + (p * nmf_rows + row(i)) * nmf_step + column, numerator[i]);
    }
    if (args.values.data == nullptr) values[i] = first_coefficients(numerator[i], args.inv_t);
    *reinterpret_cast<Pack<float, 4>*>(tile + row(i) * nmf_step + column) = values[i];
  }
  __syncthreads();
  multiply_by_square<nmf_rows / 16>(tile, gram, parts);
  __syncthreads();
  DFORMER_UNROLL
  for (int i = 0; i < quads; ++i) {
    const std::int64_t at = first + row(i);
    if (at >= args.rows) continue;
    const auto keep = [&](const ImageMatrix<float>& to, const Pack<float, 4>& pack) {
      *reinterpret_cast<Pack<float, 4>*>(row_of(to, image, at) + column) = pack;
    };
    if (args.first.data != nullptr) keep(args.first, values[i]);
    if (args.numerator.data != nullptr) keep(args.numerator, numerator[i]);
    keep(args.next, updated(values[i], numerator[i], quad(parts + row(i) * nmf_step + column)));
  }
}
constexpr std::size_t coefficients_shared_bytes =
    sizeof(float) * (nmf_depth_parts + 1) * nmf_rows * nmf_step;

}  // namespace dformer::cuda::device
