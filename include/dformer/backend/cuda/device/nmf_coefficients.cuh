#pragma once

#include <dformer/backend/cuda/device/nmf_core_tile.cuh>

namespace dformer::cuda::device {

/// Rows of a block: the 4800 of a picture of 480x640 are 100 blocks. Each reads all of the bases, 128 KiB of
/// them beside its own 48 KiB of x, so that fewer and larger blocks would read less and more would wait less.
constexpr int nmf_rows = 48;
constexpr int nmf_depth_parts = 4;

/// A warp multiplies 48 rows of x by 32 bases, along 16 channels at a time, of which a thread has 4
/// neighbouring ones: packs 0 to 3 are their bases, the others each of two rows, 8 apart.
using CoefficientsRing = NmfRing<3, 4 + nmf_rows / 16>;

template <class T>
__device__ __forceinline__ void add_piece(int stage, float (&sums)[nmf_rows / 16][4][4]) {
  std::uint32_t bases[4][4];
  Pack<T, 8> x[nmf_rows / 16];
  DFORMER_UNROLL
  for (int i = 0; i < 4; ++i) {
    const auto pack = CoefficientsRing::read<float>(stage, i);
    DFORMER_UNROLL
    for (int j = 0; j < 4; ++j) bases[i][j] = tf32_bits(pack.values[j]);
  }
  DFORMER_UNROLL
  for (int m = 0; m < nmf_rows / 16; ++m) x[m] = CoefficientsRing::read<T>(stage, 4 + m);
  DFORMER_UNROLL
  for (int s = 0; s < 4; s += 2) {
    DFORMER_UNROLL
    for (int m = 0; m < nmf_rows / 16; ++m) {
      const std::uint32_t left[4] = {tf32_of(x[m].values[s]), tf32_of(x[m].values[4 + s]),
                                     tf32_of(x[m].values[s + 1]), tf32_of(x[m].values[4 + s + 1])};
      DFORMER_UNROLL
      for (int j = 0; j < 4; ++j) {
        multiply_add_tf32(left, {bases[s][j], bases[s + 1][j]}, sums[m][j]);
      }
    }
  }
}

/// x bases of the block's rows from `first` on: each warp makes 32 columns, of one part of the depth, and
/// lays them down in `parts` [nmf_depth_parts, nmf_rows, 64], which may be the ring's memory.
template <class T>
__device__ __forceinline__ void make_numerator(const ImageMatrix<const T>& x,
                                               const ImageMatrix<const float>& bases, std::int64_t row_count,
                                               std::int64_t channel_count, std::int64_t image,
                                               std::int64_t first, float* parts) {
  const NmfLane lane;
  const int part = lane.warp % nmf_depth_parts, column = lane.warp / nmf_depth_parts * (nmf_rank / 2);
  const T* const left = row_of(x, image, first + lane.group) + 4 * lane.place;
  const int rows = static_cast<int>(min(row_count - first - lane.group, std::int64_t{nmf_rows}));
  const float* const right = row_of(bases, image, 4 * lane.place) + column + 4 * lane.group;
  const int channels = static_cast<int>(channel_count);
  const auto load = [&](int piece, int stage) {
    const int depth = 16 * (part + nmf_depth_parts * piece);
    const bool valid = depth + 4 * lane.place < channels;
    DFORMER_UNROLL
    for (int i = 0; i < 4; ++i) {
      copy_async<16>(CoefficientsRing::pack(stage, i), right + (depth + i) * bases.step, valid);
    }
    DFORMER_UNROLL
    for (int i = 0; i < nmf_rows / 8; ++i) {
      copy_async<8>(CoefficientsRing::pack(stage, 4 + i / 2) + 8 * (i % 2), left + 8 * i * x.step + depth,
                    valid && 8 * i < rows);
    }
  };
  float sums[nmf_rows / 16][4][4] = {};
  const int pieces = (channels + 15) / 16;
  CoefficientsRing::run((pieces + nmf_depth_parts - 1 - part) / nmf_depth_parts, load,
                        [&](int stage) { add_piece<T>(stage, sums); });
  __syncthreads();
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
__global__ void __launch_bounds__(nmf_threads, 2) make_coefficients(NmfCoefficientsArgs<T> args) {
  constexpr int quads = nmf_rows * nmf_rank / 4 / nmf_threads;
  const NmfLane lane;
  const std::int64_t image = blockIdx.y, first = static_cast<std::int64_t>(blockIdx.x) * nmf_rows;
  float* const parts = dynamic_shared<float>();
  float* const tile = parts + CoefficientsRing::bytes / sizeof(float);

  // What is needed once the numerator is there is on its way meanwhile. Of the rows a thread has some quads.
  const int column = static_cast<int>(threadIdx.x) % (nmf_rank / 4) * 4;
  const auto row = [&](int i) { return static_cast<int>(threadIdx.x + i * nmf_threads) / (nmf_rank / 4); };
  if (args.values.data != nullptr) {
    DFORMER_UNROLL
    for (int i = 0; i < quads; ++i) {
      copy_async<16>(tile + row(i) * nmf_step + column, row_of(args.values, image, first + row(i)) + column,
                     first + row(i) < args.rows);
    }
  }
  NmfSquare gram;
  gram.load(row_of(args.gram, image, 0), args.gram.step, 8 * lane.warp);
  make_numerator<T>(args.x, args.bases, args.rows, args.channels, image, first, parts);
  wait_for_copies<0>();
  __syncthreads();
  Pack<float, 4> values[quads], numerator[quads];
  DFORMER_UNROLL
  for (int i = 0; i < quads; ++i) {
    numerator[i] = quad(parts + row(i) * nmf_step + column);
    DFORMER_UNROLL
    for (int p = 1; p < nmf_depth_parts; ++p) {
      add_to(quad(parts + (p * nmf_rows + row(i)) * nmf_step + column), numerator[i]);
    }
    auto* const own = reinterpret_cast<Pack<float, 4>*>(tile + row(i) * nmf_step + column);
    if (args.values.data == nullptr) *own = first_coefficients(numerator[i], args.inv_t);
    values[i] = *own;
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
    CoefficientsRing::bytes + sizeof(float) * nmf_rows * nmf_step;
static_assert(sizeof(float) * nmf_depth_parts * nmf_rows * nmf_step <= CoefficientsRing::bytes);

}  // namespace dformer::cuda::device
