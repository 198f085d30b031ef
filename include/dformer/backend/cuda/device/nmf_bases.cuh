#pragma once

#include <dformer/backend/cuda/device/nmf_core_tile.cuh>

namespace dformer::cuda::device {

constexpr int slice_channels = 64;  // of a block
constexpr int slice_columns = 32;
constexpr int slice_step = tile_step(slice_columns);
constexpr int slice_depth = 8;  // rows of a piece

/// A warp multiplies 64 columns of a matrix, turned, by 32 of the other, along 8 rows at a time: packs 0 and
/// 1 are the right one's of a thread's two rows, then come its 8 columns of one, and of the other.
template <class E>
using SlicesRing = NmfRing<sizeof(E) == 2 ? 6 : 4, 2 + static_cast<int>(sizeof(E))>;

template <class E>
__device__ __forceinline__ void add_piece_turned(int stage, float (&sums)[4][4][4]) {
  using Ring = SlicesRing<E>;
  constexpr int packs = sizeof(E) / 2, each = 16 / sizeof(E);
  const Pack<float, 4> right[2] = {Ring::template read<float>(stage, 0),
                                   Ring::template read<float>(stage, 1)};
  std::uint32_t with[2][4];
  DFORMER_UNROLL
  for (int j = 0; j < 4; ++j) {
    with[0][j] = tf32_bits(right[0].values[j]);
    with[1][j] = tf32_bits(right[1].values[j]);
  }
  Pack<E, each> left[2][packs];
  DFORMER_UNROLL
  for (int i = 0; i < 2 * packs; ++i) left[i / packs][i % packs] = Ring::template read<E>(stage, 2 + i);
  DFORMER_UNROLL
  for (int m = 0; m < 4; ++m) {
    const auto at = [&](int row, int column) {
      return tf32_of(left[row][column / each].values[column % each]);
    };
    const std::uint32_t a[4] = {at(0, 2 * m), at(0, 2 * m + 1), at(1, 2 * m), at(1, 2 * m + 1)};
    DFORMER_UNROLL
    for (int j = 0; j < 4; ++j) {
      multiply_add_tf32(a, {with[0][j], with[1][j]}, sums[m][j]);
    }
  }
}

/// left^T right of the rows `first` to `last`, 64 columns of left by 32 of right, of which `left`
/// and `with` are this thread's. Each warp takes every eighth piece and lays its sums down in dynamic_shared;
/// there, row 8 c + g stands for column 8 g + c.
template <class E>
__device__ __forceinline__ void make_slice(const E* left, std::int64_t step, bool has_columns,
                                           const float* with, std::int64_t with_step, std::int64_t first,
                                           std::int64_t last) {
  using Ring = SlicesRing<E>;
  const NmfLane lane;
  const auto load = [&](int piece, int stage) {
    DFORMER_UNROLL
    for (int i = 0; i < 2; ++i) {
      const std::int64_t row = first + slice_depth * (lane.warp + nmf_warps * piece) + lane.place + 4 * i;
      copy_async<16>(Ring::pack(stage, i), with + row * with_step, row < last);
      constexpr int packs = sizeof(E) / 2, each = 16 / sizeof(E);
      DFORMER_UNROLL
      for (int k = 0; k < packs; ++k) {
        copy_async<16>(Ring::pack(stage, 2 + packs * i + k), left + row * step + each * k,
                       has_columns && row < last);
      }
    }
  };
  float sums[4][4][4] = {};
  const int pieces = static_cast<int>((max(last - first, std::int64_t{0}) + slice_depth - 1) / slice_depth);
  Ring::run((pieces + nmf_warps - 1 - lane.warp) / nmf_warps, load,
            [&](int stage) { add_piece_turned<E>(stage, sums); });
  __syncthreads();
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

/// A block makes 64 channels by 32 columns of one slice; the last 64 are those of `values`.
template <class T>
__global__ void __launch_bounds__(nmf_threads, 2) sum_in_slices(NmfSlicesArgs<T> args) {
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
  const ImageMatrix<const float>& right = of_x ? args.x_right : args.values_right;
  const float* const with = row_of(right, image, 0) + column + 4 * lane.group;
  const std::int64_t own = channel + 8 * lane.group;
  if (of_x) {
    make_slice(row_of(args.x, image, 0) + own, args.x.step, own < channels, with, right.step, first, last);
  } else {
    make_slice(row_of(args.values, image, 0) + own, args.values.step, true, with, right.step, first, last);
  }
  __syncthreads();
  const std::int64_t height = args.channels + nmf_rank;
  const ImageMatrix<float> to{args.parts + ((of_x ? 0 : args.channels) + channel) * nmf_rank + column,
                              height * nmf_rank, nmf_rank};
  DFORMER_UNROLL
  for (int i = 0; i < slice_channels * slice_columns / 4 / nmf_threads; ++i) {
    const int number = static_cast<int>(threadIdx.x) + i * nmf_threads;
    const int row = number / (slice_columns / 4), at = number % (slice_columns / 4) * 4;
    const int below = 8 * (row % 8) + row / 8;
    if (channel + below >= channels) continue;
    Pack<float, 4> sum = quad(dynamic_shared<float>() + row * slice_step + at);
    DFORMER_UNROLL
    for (int w = 1; w < nmf_warps; ++w) {
      add_to(quad(dynamic_shared<float>() + (w * slice_channels + row) * slice_step + at), sum);
    }
    *reinterpret_cast<Pack<float, 4>*>(row_of(to, image * args.slices + slice, below) + at) = sum;
  }
}
constexpr std::size_t slices_shared_bytes = SlicesRing<float>::bytes;
static_assert(SlicesRing<half>::bytes <= slices_shared_bytes);
static_assert(sizeof(float) * nmf_warps * slice_channels * slice_step <= slices_shared_bytes);

constexpr int bases_rows = 16;
constexpr int bases_quads = 1 + nmf_rank / bases_rows;  // of a thread, of each slice
using BasesRing = NmfRing<3, bases_quads>;
// With the tiles of make_bases no more than a block can have on GPUs of compute capability 8.6 and 8.9.
static_assert(BasesRing::bytes + sizeof(float) * (nmf_rank + 2 * bases_rows) * nmf_step <= 99 * 1024);

/// A block updates 16 channels; the square is added up by each, which is what it mostly does.
__global__ void __launch_bounds__(nmf_threads) make_bases(NmfBasesArgs args) {
  alignas(16) __shared__ float square_tile[nmf_rank * nmf_step];
  alignas(16) __shared__ float values_tile[bases_rows * nmf_step];
  alignas(16) __shared__ float denominators[bases_rows * nmf_step];
  const NmfLane lane;
  const std::int64_t image = blockIdx.y, first = static_cast<std::int64_t>(blockIdx.x) * bases_rows;
  const std::int64_t size = (args.channels + nmf_rank) * nmf_rank;
  const float* const parts = args.parts + image * args.slices * size;
  const auto keep = [&](const ImageMatrix<float>& to, std::int64_t row, int column,
                        const Pack<float, 4>& pack) {
    *reinterpret_cast<Pack<float, 4>*>(row_of(to, image, row) + column) = pack;
  };

  const int row = static_cast<int>(threadIdx.x) / (nmf_rank / 4);
  const int column = static_cast<int>(threadIdx.x) % (nmf_rank / 4) * 4;
  const bool there = first + row < args.channels;
  const auto values = pack_at<4>(row_of(args.values, image, first + row) + column, there);
  // A thread's quads: one of the numerator, then those of the square, below all channels.
  Pack<float, 4> sums[bases_quads] = {};
  const auto load = [&](int slice, int stage) {
    const float* const from = parts + slice * size + column;
    copy_async<16>(BasesRing::pack(stage, 0), from + (first + row) * nmf_rank, there);
    DFORMER_UNROLL
    for (int i = 1; i < bases_quads; ++i) {
      copy_async<16>(BasesRing::pack(stage, i),
                     from + (args.channels + row + (i - 1) * bases_rows) * nmf_rank, true);
    }
  };
  BasesRing::run(static_cast<int>(args.slices), load, [&](int stage) {
    DFORMER_UNROLL
    for (int i = 0; i < bases_quads; ++i) add_to(BasesRing::read<float>(stage, i), sums[i]);
  });
  *reinterpret_cast<Pack<float, 4>*>(values_tile + row * nmf_step + column) = values;
  DFORMER_UNROLL
  for (int i = 1; i < bases_quads; ++i) {
    const int below = row + (i - 1) * bases_rows;
    DFORMER_UNROLL
    for (int c = 0; c < 4; ++c) sums[i].values[c] = rounded_to_tf32(sums[i].values[c]);
    *reinterpret_cast<Pack<float, 4>*>(square_tile + below * nmf_step + column) = sums[i];
    if (blockIdx.x == 0) keep(args.sums, args.channels + below, column, sums[i]);
  }
  __syncthreads();
  NmfSquare square;
  square.load(square_tile, nmf_step, 8 * lane.warp);
  multiply_by_square<bases_rows / 16>(values_tile, square, denominators);
  __syncthreads();
  if (!there) return;
  keep(args.sums, first + row, column, sums[0]);
  keep(args.next, first + row, column,
       updated(values, sums[0], quad(denominators + row * nmf_step + column)));
}

constexpr int gram_tile = 16;
/// Pieces are 8 channels, of which a thread has two: pack 0 is its two rows and two columns of the square in
/// one of them, pack 1 in the other.
using GramRing = NmfRing<8, 2>;

/// A block makes 16 by 16 of the square, each warp an eighth of the depth.
__global__ void __launch_bounds__(nmf_threads) make_gram(NmfGramArgs args) {
  alignas(16) __shared__ float parts[nmf_warps][gram_tile][gram_tile];
  constexpr int tiles = nmf_rank / gram_tile;
  const NmfLane lane;
  const std::int64_t image = blockIdx.y;
  const int row = static_cast<int>(blockIdx.x) / tiles * gram_tile;
  const int column = static_cast<int>(blockIdx.x) % tiles * gram_tile;
  const float* const from = row_of(args.bases, image, lane.place) + 2 * lane.group;
  const auto load = [&](int piece, int stage) {
    DFORMER_UNROLL
    for (int i = 0; i < 2; ++i) {
      const float* const at = from + (8 * (lane.warp + nmf_warps * piece) + 4 * i) * args.bases.step;
      copy_async<8>(GramRing::pack(stage, i), at + row, true);
      copy_async<8>(GramRing::pack(stage, i) + 8, at + column, true);
    }
  };
  float sums[2][4] = {};
  const int pieces = static_cast<int>(args.channels / 8);
  GramRing::run((pieces + nmf_warps - 1 - lane.warp) / nmf_warps, load, [&](int stage) {
    const Pack<float, 4> near = GramRing::read<float>(stage, 0), far = GramRing::read<float>(stage, 1);
    const std::uint32_t a[4] = {bits_of(near.values[0]), bits_of(near.values[1]), bits_of(far.values[0]),
                                bits_of(far.values[1])};
    DFORMER_UNROLL
    for (int j = 0; j < 2; ++j) {
      multiply_add_tf32(a, {bits_of(near.values[2 + j]), bits_of(far.values[2 + j])}, sums[j]);
    }
  });
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
