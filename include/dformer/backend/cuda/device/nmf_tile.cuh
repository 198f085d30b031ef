#pragma once

// The products of the factorization: a block of 128 threads makes 32 rows by 64 columns, a thread 4 by 4 of
// them, and goes along the depth 32 at a time; what comes next is fetched to registers meanwhile.
//
// They are not left to cuBLASLt: x is half or bfloat16 and the bases are float32, results are one or two
// tiles wide, which fills a GPU only with the sums cut into slices, and all images go at once. x [4800, 512]
// in half stays in the second-level cache from step to step; float32 arithmetic bounds the time, 2 * 4800 *
// 512 * 64 for each of the two large products of a step.

#include <dformer/backend/cuda/device/tile.cuh>
#include <dformer/backend/cuda/kernels/nmf.hpp>

namespace dformer::cuda::device {

constexpr int product_threads = 128;
constexpr int product_rows = 32;
constexpr int product_columns = 64;
constexpr int product_depth = 32;
constexpr int product_row_groups = product_threads / (product_columns / 4);
constexpr int product_thread_rows = product_rows / product_row_groups;

using ProductSums = float[product_thread_rows][4];

/// Which rows of a tile, and from which of four columns on, are this thread's.
struct ProductThread {
  int lane = static_cast<int>(threadIdx.x) % (product_columns / 4);
  int group = static_cast<int>(threadIdx.x) / (product_columns / 4);

  __device__ __forceinline__ int row(int i) const { return group + i * product_row_groups; }
  __device__ __forceinline__ int column() const { return 4 * lane; }
};

/// A thread's share of a tile on its way from memory to shared memory. `Turned`: what is read as [Rows,
/// Columns] is laid down as [Columns, Rows].
template <int Rows, int Columns, bool Turned>
struct FetchedTile {
  static constexpr int quads = Rows * Columns / 4 / product_threads;
  Pack<float, 4> values[quads];

  /// Neighbouring threads read along a row, or where the tile is turned, lay down along one.
  static __device__ __forceinline__ int row(int i) {
    const int number = static_cast<int>(threadIdx.x) + i * product_threads;
    return Turned ? number % Rows : number / (Columns / 4);
  }
  static __device__ __forceinline__ int column(int i) {
    const int number = static_cast<int>(threadIdx.x) + i * product_threads;
    return 4 * (Turned ? number / Rows : number % (Columns / 4));
  }

  template <class E>
  __device__ __forceinline__ void fetch(const E* from, std::int64_t step, std::int64_t valid_rows,
                                        std::int64_t valid_columns, bool in_quads) {
    for (int i = 0; i < quads; ++i) {
      values[i] = {};
      if (row(i) >= valid_rows) continue;
      const E* const at = from + row(i) * step + column(i);
      if (in_quads) {
        if (column(i) >= valid_columns) continue;
        const auto pack = *reinterpret_cast<const Pack<E, 4>*>(at);
        for (int k = 0; k < 4; ++k) values[i].values[k] = to_float(pack.values[k]);
      } else {
        for (int k = 0; k < 4; ++k) {
          if (column(i) + k < valid_columns) values[i].values[k] = to_float(at[k]);
        }
      }
    }
  }
  __device__ __forceinline__ void lay_down(float* to) const {
    for (int i = 0; i < quads; ++i) {
      if constexpr (Turned) {
        for (int k = 0; k < 4; ++k) to[(column(i) + k) * tile_step(Rows) + row(i)] = values[i].values[k];
      } else {
        *reinterpret_cast<Pack<float, 4>*>(to + row(i) * tile_step(Columns) + column(i)) = values[i];
      }
    }
  }
};

/// A factor of a product, from the tile's first row (of a) or column (of b) on. `extent` says how many there
/// are, of a in rows and of b in columns; the depth is along the other axis, of which the columns in memory
/// are the ones that may be read in quads.
template <class E>
struct Factor {
  const E* from;
  std::int64_t step;
  std::int64_t extent;
  bool in_quads;
};

/// sums += a b of a tile. `a_turned`: a is stored as [depth, rows]; `b_turned`: b as [columns, depth].
template <bool ATurned, bool BTurned, class A>
__device__ __forceinline__ void add_product(const Factor<A>& a, const Factor<float>& b, std::int64_t depth,
                                            ProductSums& sums) {
  constexpr int a_step = tile_step(product_depth);  // rows are as many as the depth
  static_assert(product_rows == product_depth);
  const ProductThread thread;
  float* const a_tile = dynamic_shared<float>();
  float* const b_tile = a_tile + product_rows * a_step;
  FetchedTile<product_rows, product_depth, false> a_next;
  FetchedTile<BTurned ? product_columns : product_depth, BTurned ? product_depth : product_columns, BTurned>
      b_next;
  const auto fetch = [&](std::int64_t d) {
    if (d >= depth) return;
    if constexpr (ATurned) {
      a_next.fetch(a.from + d * a.step, a.step, depth - d, a.extent, a.in_quads);
    } else {
      a_next.fetch(a.from + d, a.step, a.extent, depth - d, a.in_quads);
    }
    if constexpr (BTurned) {
      b_next.fetch(b.from + d, b.step, b.extent, depth - d, b.in_quads);
    } else {
      b_next.fetch(b.from + d * b.step, b.step, depth - d, b.extent, b.in_quads);
    }
  };
  fetch(0);
  for (std::int64_t d = 0; d < depth; d += product_depth) {
    __syncthreads();
    a_next.lay_down(a_tile);
    b_next.lay_down(b_tile);
    __syncthreads();
    fetch(d + product_depth);
    for (int k = 0; k < product_depth; k += 4) {
      Pack<float, 4>
          left[4];  // of four rows, along the depth; where a is turned, of four depths, along the rows
      for (int i = 0; i < 4; ++i) {
        left[i] = ATurned ? quad(a_tile + (k + i) * a_step + product_thread_rows * thread.group)
                          : quad(a_tile + thread.row(i) * a_step + k);
      }
      for (int m = 0; m < 4; ++m) {
        const Pack<float, 4> right = quad(b_tile + (k + m) * tile_step(product_columns) + thread.column());
        for (int i = 0; i < product_thread_rows; ++i) {
          const float factor = ATurned ? left[m].values[i] : left[i].values[m];
          for (int c = 0; c < 4; ++c) sums[i][c] = fmaf(factor, right.values[c], sums[i][c]);
        }
      }
    }
  }
}
constexpr std::size_t product_shared_bytes =
    sizeof(float) * (product_rows * tile_step(product_depth) + product_depth * tile_step(product_columns));

/// The tile that a block makes: of an image, from some row and column on.
struct ProductTile {
  std::int64_t row = static_cast<std::int64_t>(blockIdx.x) * product_rows;
  std::int64_t column = static_cast<std::int64_t>(blockIdx.y) * product_columns;
  std::int64_t image = blockIdx.z;

  /// a's rows from the tile's first on, [rows, depth] in memory.
  template <class E>
  __device__ __forceinline__ Factor<E> left(const ImageMatrix<const E>& a, std::int64_t rows,
                                            std::int64_t depth) const {
    return {a.data + image * a.image_step + row * a.step, a.step, rows - row, reads_quads(depth, a.step)};
  }
  /// b's columns from the tile's first on, [depth, columns] in memory.
  __device__ __forceinline__ Factor<float> right(const ImageMatrix<const float>& b,
                                                 std::int64_t columns) const {
    return {b.data + image * b.image_step + column, b.step, columns - column, reads_quads(columns, b.step)};
  }
};

/// Calls body(i, c, row, column) for each of the thread's sums that is one of [rows, columns].
template <class Body>
__device__ __forceinline__ void for_each_sum(const ProductTile& tile, std::int64_t rows, std::int64_t columns,
                                             const Body& body) {
  const ProductThread thread;
  for (int i = 0; i < product_thread_rows; ++i) {
    const std::int64_t row = tile.row + thread.row(i);
    if (row >= rows) continue;
    for (int c = 0; c < 4; ++c) {
      const std::int64_t column = tile.column + thread.column() + c;
      if (column < columns) body(i, c, row, column);
    }
  }
}

template <class E>
__device__ __forceinline__ E& element(const ImageMatrix<E>& matrix, std::int64_t image, std::int64_t row,
                                      std::int64_t column) {
  return matrix.data[image * matrix.image_step + row * matrix.step + column];
}

}  // namespace dformer::cuda::device
