#pragma once

#include <dformer/backend/cuda/device/launch.cuh>
#include <dformer/backend/cuda/device/nmf_bases.cuh>
#include <dformer/backend/cuda/device/nmf_coefficients.cuh>

namespace dformer::cuda {
namespace device {

__global__ void round_to_tf32(NmfRoundArgs args) {
  for (std::int64_t i = global_thread(); i < args.count; i += global_threads()) {
    args.to[i] = rounded_to_tf32(args.from[i]);
  }
}

constexpr int result_rows = 32;  // of a warp
constexpr int result_channels = 64;

/// A warp makes 32 rows by 64 channels.
template <class T>
__global__ void __launch_bounds__(nmf_threads) make_result(NmfResultArgs<T> args) {
  const NmfLane lane;
  const int across = static_cast<int>((args.channels + result_channels - 1) / result_channels);
  const int number = static_cast<int>(blockIdx.x) * nmf_warps + lane.warp;
  const std::int64_t image = blockIdx.y;
  const std::int64_t first = static_cast<std::int64_t>(number / across) * result_rows;
  const std::int64_t channel = static_cast<std::int64_t>(number % across) * result_channels;
  if (first >= args.rows) return;
  // Row `group` of a factor's eight is channel 8 group + j, so that a thread's sums are neighbours.
  const std::int64_t own = min(channel + 8 * lane.group, args.channels - 8);
  const float* const right = row_of(args.right, image, own) + 4 * lane.place;
  const int depth = static_cast<int>(args.depth);
  float sums[result_rows / 16][8][4] = {};
  for (int piece = 0; piece < depth; piece += nmf_rank) {
    DFORMER_UNROLL
    for (int k = piece; k < piece + nmf_rank; k += 16) {
      Pack<float, 4> a[result_rows / 8], b[8];
      DFORMER_UNROLL
      for (int i = 0; i < result_rows / 8; ++i) {
        const std::int64_t row = min(first + 8 * i + lane.group, args.rows - 1);
        a[i] = pack_at<4>(row_of(args.left, image, row) + k + 4 * lane.place);
      }
      DFORMER_UNROLL
      for (int j = 0; j < 8; ++j) b[j] = pack_at<4>(right + j * args.right.step + k);
      DFORMER_UNROLL
      for (int s = 0; s < 4; s += 2) {
        DFORMER_UNROLL
        for (int m = 0; m < result_rows / 16; ++m) {
          const std::uint32_t left[4] = {tf32_bits(a[2 * m].values[s]), tf32_bits(a[2 * m + 1].values[s]),
                                         tf32_bits(a[2 * m].values[s + 1]),
                                         tf32_bits(a[2 * m + 1].values[s + 1])};
          DFORMER_UNROLL
          for (int j = 0; j < 8; ++j) {
            multiply_add_tf32(left, {tf32_bits(b[j].values[s]), tf32_bits(b[j].values[s + 1])}, sums[m][j]);
          }
        }
      }
    }
  }
  DFORMER_UNROLL
  for (int m = 0; m < result_rows / 16; ++m) {
    DFORMER_UNROLL
    for (int i = 0; i < 4; ++i) {  // of two rows, two times eight channels
      const std::int64_t row = first + 16 * m + 8 * (i / 2) + lane.group;
      const std::int64_t to = channel + 16 * lane.place + 8 * (i % 2);
      const Pack<std::uint32_t, 4> pack{
          {register_of<T>(sums[m][0][i], sums[m][1][i]), register_of<T>(sums[m][2][i], sums[m][3][i]),
           register_of<T>(sums[m][4][i], sums[m][5][i]), register_of<T>(sums[m][6][i], sums[m][7][i])}};
      auto* const at = reinterpret_cast<Pack<std::uint32_t, 4>*>(row_of(args.y, image, row) + to);
      if (row < args.rows && to < args.channels) *at = pack;
    }
  }
}

inline Grid nmf_grid(std::int64_t blocks, std::int64_t images, std::size_t shared_bytes = 0) {
  return {blocks, nmf_threads, shared_bytes, static_cast<int>(images)};
}

}  // namespace device

void nmf_round(const NmfRoundArgs& args, Stream stream) {
  device::launch("nmf", device::round_to_tf32, device::elementwise_grid(args.count), stream, args);
}

void nmf_gram(const NmfGramArgs& args, Stream stream) {
  constexpr int tiles = device::nmf_rank / device::gram_tile;
  device::launch("nmf", device::make_gram,
                 device::nmf_grid(tiles * tiles, args.images, device::GramRing::bytes), stream, args);
}

template <class T>
void nmf_coefficients(const NmfCoefficientsArgs<T>& args, Stream stream) {
  device::launch("nmf", device::make_coefficients<T>,
                 device::nmf_grid(device::blocks_of(args.rows, device::nmf_rows), args.images,
                                  device::coefficients_shared_bytes),
                 stream, args);
}

template <class T>
void nmf_slices(const NmfSlicesArgs<T>& args, Stream stream) {
  const std::int64_t tiles = device::blocks_of(args.channels, device::slice_channels) + 1;
  device::launch("nmf", device::sum_in_slices<T>,
                 {tiles * (device::nmf_rank / device::slice_columns), device::nmf_threads,
                  device::slices_shared_bytes, static_cast<int>(args.slices), static_cast<int>(args.images)},
                 stream, args);
}

void nmf_bases(const NmfBasesArgs& args, Stream stream) {
  device::launch("nmf", device::make_bases,
                 device::nmf_grid(device::blocks_of(args.channels, device::bases_rows), args.images,
                                  device::BasesRing::bytes),
                 stream, args);
}

template <class T>
void nmf_result(const NmfResultArgs<T>& args, Stream stream) {
  const std::int64_t warps = device::blocks_of(args.rows, device::result_rows) *
                             device::blocks_of(args.channels, device::result_channels);
  device::launch("nmf", device::make_result<T>,
                 device::nmf_grid(device::blocks_of(warps, device::nmf_warps), args.images), stream, args);
}

template void nmf_coefficients(const NmfCoefficientsArgs<half>&, Stream);
template void nmf_coefficients(const NmfCoefficientsArgs<bfloat16>&, Stream);
template void nmf_slices(const NmfSlicesArgs<half>&, Stream);
template void nmf_slices(const NmfSlicesArgs<bfloat16>&, Stream);
template void nmf_result(const NmfResultArgs<half>&, Stream);
template void nmf_result(const NmfResultArgs<bfloat16>&, Stream);

}  // namespace dformer::cuda
