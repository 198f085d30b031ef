#pragma once

// The factorization on tensor cores. Its matrices lie in the second-level cache, and what bounds it at one
// image is how soon they come from there: several pieces are under way at once. Which row of the depth, and
// which column of a result, stands where in a warp's product is free: it is so chosen that what a thread
// brings to shared memory, in 16 bytes, is what it multiplies itself, and that no two warps bring the same.
// So none waits for another before their sums meet, which they do in the warps' order.

#include <dformer/backend/cuda/device/async_copy.cuh>
#include <dformer/backend/cuda/device/tile.cuh>
#include <dformer/backend/cuda/device/warp_matrix.cuh>
#include <dformer/backend/cuda/kernels/nmf_on_tensor_cores.hpp>

namespace dformer::cuda::device {

constexpr int nmf_threads = 256;
constexpr int nmf_warps = nmf_threads / warp_size;
constexpr int nmf_rank = static_cast<int>(core_rank);
constexpr int nmf_step = tile_step(nmf_rank);

struct NmfLane {
  int warp = static_cast<int>(threadIdx.x) / warp_size;
  int group = static_cast<int>(threadIdx.x) % warp_size / 4;
  int place = static_cast<int>(threadIdx.x) % 4;
};

template <class E>
__device__ __forceinline__ E* row_of(const ImageMatrix<E>& matrix, std::int64_t image, std::int64_t row) {
  return matrix.data + image * matrix.image_step + row * matrix.step;
}

/// N neighbouring elements, or zeros where they are not valid. Their address must be a multiple of 16 bytes,
/// or of their size where that is less.
template <int N, class E>
__device__ __forceinline__ Pack<E, N> pack_at(const E* from, bool valid = true) {
  Pack<E, N> pack{};
  if (valid) pack = *reinterpret_cast<const Pack<E, N>*>(from);
  return pack;
}

/// This thread's part of pieces on their way to it through dynamic_shared: `Packs` times 16 bytes of each of
/// `Stages` pieces.
template <int Stages, int Packs>
struct NmfRing {
  static constexpr std::size_t bytes = std::size_t{16} * Stages * Packs * nmf_threads;

  static __device__ __forceinline__ unsigned char* pack(int stage, int number) {
    return dynamic_shared<unsigned char>() +
           16 * ((stage * Packs + number) * nmf_threads + static_cast<int>(threadIdx.x));
  }
  template <class E>
  static __device__ __forceinline__ Pack<E, 16 / sizeof(E)> read(int stage, int number) {
    return *reinterpret_cast<const Pack<E, 16 / sizeof(E)>*>(pack(stage, number));
  }

  /// load(i, stage) starts the copies of piece i, use(stage) takes them; of pieces 0 to `count`.
  template <class Load, class Use>
  static __device__ __forceinline__ void run(int count, const Load& load, const Use& use) {
    DFORMER_UNROLL
    for (int i = 0; i < Stages - 1; ++i) {
      if (i < count) load(i, i);
      commit_copies();
    }
    int stage = 0;
    for (int i = 0; i < count; ++i) {
      const int free = stage == 0 ? Stages - 1 : stage - 1;  // its piece has been used
      if (i + Stages - 1 < count) load(i + Stages - 1, free);
      commit_copies();
      wait_for_copies<Stages - 1>();
      use(stage);
      stage = stage + 1 == Stages ? 0 : stage + 1;
    }
  }
};

/// The register of an element that TF32 holds exactly.
template <class E>
__device__ __forceinline__ std::uint32_t tf32_of(E element) {
  return bits_of(to_float(element));
}

__device__ __forceinline__ void add_to(const Pack<float, 4>& more, Pack<float, 4>& sum) {
  DFORMER_UNROLL
  for (int c = 0; c < 4; ++c) sum.values[c] += more.values[c];
}

/// A warp's 8 columns, from `column` on, of a factor [64, 64] whose rows are `step` apart.
struct NmfSquare {
  std::uint32_t registers[nmf_rank / 8][2];

  __device__ __forceinline__ void load(const float* square, std::int64_t step, int column) {
    const NmfLane lane;
    DFORMER_UNROLL
    for (int s = 0; s < nmf_rank / 8; ++s) {
      const float* const from = square + (8 * s + lane.place) * step + column + lane.group;
      registers[s][0] = tf32_bits(from[0]);
      registers[s][1] = tf32_bits(from[4 * step]);
    }
  }
};

/// to [16 Tiles, 64] = values square, of which each of 8 warps makes 8 columns. Both tiles are in shared
/// memory, their rows nmf_step apart.
template <int Tiles>
__device__ __forceinline__ void multiply_by_square(const float* values, const NmfSquare& square, float* to) {
  const NmfLane lane;
  float sums[Tiles][4] = {};
  DFORMER_UNROLL
  for (int s = 0; s < nmf_rank / 8; ++s) {
    DFORMER_UNROLL
    for (int m = 0; m < Tiles; ++m) {
      const float* const from = values + (16 * m + lane.group) * nmf_step + 8 * s + lane.place;
      const std::uint32_t left[4] = {bits_of(from[0]), bits_of(from[8 * nmf_step]), bits_of(from[4]),
                                     bits_of(from[8 * nmf_step + 4])};
      multiply_add_tf32(left, square.registers[s], sums[m]);
    }
  }
  DFORMER_UNROLL
  for (int m = 0; m < Tiles; ++m) {
    DFORMER_UNROLL
    for (int i = 0; i < 2; ++i) {
      *reinterpret_cast<Pack<float, 2>*>(to + (16 * m + 8 * i + lane.group) * nmf_step + 8 * lane.warp +
                                         2 * lane.place) = {sums[m][2 * i], sums[m][2 * i + 1]};
    }
  }
}

/// values * numerator / (denominator + 1e-6), as it is kept.
__device__ __forceinline__ Pack<float, 4> updated(const Pack<float, 4>& values,
                                                  const Pack<float, 4>& numerator,
                                                  const Pack<float, 4>& denominator) {
  Pack<float, 4> next;
  DFORMER_UNROLL
  for (int c = 0; c < 4; ++c) {
    next.values[c] =
        rounded_to_tf32(values.values[c] * numerator.values[c] / (denominator.values[c] + 1e-6f));
  }
  return next;
}

}  // namespace dformer::cuda::device
