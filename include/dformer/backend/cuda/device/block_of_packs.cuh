#pragma once

#include <dformer/backend/cuda/device/launch.cuh>

namespace dformer::cuda::device {

/// How the threads of a block lie over channels-last memory: neighbours take neighbouring packs of a pixel's
/// channels, and `positions` groups of them take a pixel, or whatever the kernel makes of it, each. Eight
/// packs of 16 bytes are a line of the cache.
struct BlockOfPacks {
  int packs;      ///< of a pixel, that a block takes
  int positions;  ///< that a block takes
  int groups;     ///< of packs; as many blocks have all channels of a position

  /// Where a thread is, or a position beyond the last one.
  __device__ __forceinline__ int pack() const { return static_cast<int>(threadIdx.x) % packs; }
  __device__ __forceinline__ int position() const { return static_cast<int>(threadIdx.x) / packs; }

  /// The sum over all positions, in their order, of what they laid down in shared memory
  /// [positions][channels] for channel c.
  __device__ __forceinline__ float sum_of_positions(const float* shared, int channels, int c) const {
    float sum = 0.0f;
    for (int p = 0; p < positions; ++p) sum += shared[p * channels + c];
    return sum;
  }

  /// A whole number of warps.
  int threads() const {
    return static_cast<int>(blocks_of(std::int64_t{packs} * positions, warp_size)) * warp_size;
  }
};

/// The block for `packs` packs a pixel that has at most that many threads and positions. Without packs there
/// are no groups, and so no blocks.
inline BlockOfPacks block_of_packs(std::int64_t packs, int threads, std::int64_t most_positions) {
  constexpr std::int64_t line = 8;
  const std::int64_t groups = blocks_of(packs, line);
  const std::int64_t each = groups == 0 ? 1 : blocks_of(packs, groups);
  const std::int64_t positions = threads / each;
  return {static_cast<int>(each), static_cast<int>(positions < most_positions ? positions : most_positions),
          static_cast<int>(groups)};
}

}  // namespace dformer::cuda::device
