#pragma once

#include <dformer/backend/cuda/device/language.cuh>

namespace dformer::cuda::device {

/// Floats from row to row of a tile of `columns` in shared memory: rows stay aligned to 16 bytes, and where
/// `columns` is a multiple of 16, any 8 neighbouring rows begin in different banks.
__host__ __device__ constexpr int tile_step(int columns) {
  return columns + 4;
}

__device__ __forceinline__ Pack<float, 4> quad(const float* from) {
  return *reinterpret_cast<const Pack<float, 4>*>(from);
}

/// Whether rows of so many elements, so far apart, can be read four elements at a time. Pointers that the
/// rows start from are taken to be a multiple of four elements from the start of their tensor.
__host__ __device__ constexpr bool reads_quads(std::int64_t columns, std::int64_t step) {
  return columns % 4 == 0 && step % 4 == 0;
}

/// The block brings `Columns` columns of some rows, `step` elements apart, to shared memory as float; what is
/// beyond the `valid_rows` and `valid_columns` that there are becomes 0.
template <int Columns, class T>
__device__ __forceinline__ void load_tile(const T* from, std::int64_t step, std::int64_t valid_rows,
                                          std::int64_t valid_columns, bool quads, int rows, float* to) {
  static_assert(Columns % 4 == 0);
  for (int i = static_cast<int>(threadIdx.x); i < rows * (Columns / 4); i += static_cast<int>(blockDim.x)) {
    const int row = i / (Columns / 4), column = i % (Columns / 4) * 4;
    Pack<float, 4> values{};
    if (row < valid_rows) {
      const T* const at = from + row * step + column;
      if (quads) {
        if (column < valid_columns) {
          const auto pack = *reinterpret_cast<const Pack<T, 4>*>(at);
          for (int k = 0; k < 4; ++k) values.values[k] = to_float(pack.values[k]);
        }
      } else {
        for (int k = 0; k < 4; ++k) {
          if (column + k < valid_columns) values.values[k] = to_float(at[k]);
        }
      }
    }
    *reinterpret_cast<Pack<float, 4>*>(to + row * tile_step(Columns) + column) = values;
  }
}

}  // namespace dformer::cuda::device
