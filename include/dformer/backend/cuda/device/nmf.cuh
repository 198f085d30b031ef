#pragma once

#include <type_traits>

#include <dformer/backend/cuda/device/launch.cuh>
#include <dformer/backend/cuda/device/nmf_tile.cuh>

namespace dformer::cuda {
namespace device {

template <class A, class Y, bool TransposedB>
__global__ void make_product(NmfProductArgs<A, Y> args) {
  const ProductTile tile;
  ProductSums sums = {};
  const Factor<A> a = tile.left(args.a, args.rows, args.depth);
  if constexpr (TransposedB) {
    const float* const b = args.b.data + tile.image * args.b.image_step + tile.column * args.b.step;
    add_product<false, true>(
        a, {b, args.b.step, args.columns - tile.column, reads_quads(args.depth, args.b.step)}, args.depth,
        sums);
  } else {
    add_product<false, false>(a, tile.right(args.b, args.columns), args.depth, sums);
  }
  for_each_sum(tile, args.rows, args.columns, [&](int i, int c, std::int64_t row, std::int64_t column) {
    Y& y = element(args.y, tile.image, row, column);
    y = from_float<Y>(args.add ? sums[i][c] + to_float(y) : sums[i][c]);
  });
}

/// A warp takes a row.
__global__ void start_rows(NmfStartArgs args) {
  const std::int64_t number = global_thread() / warp_size;
  if (number >= args.images * args.rows) return;
  const int lane = static_cast<int>(threadIdx.x) % warp_size;
  const float* const from = &element(args.similarities, number / args.rows, number % args.rows, 0);
  float* const to = &element(args.coefficients, number / args.rows, number % args.rows, 0);
  float top = -INFINITY;
  for (std::int64_t r = lane; r < args.rank; r += warp_size) top = max(top, args.inv_t * from[r]);
  top = warp_max(top);
  float sum = 0.0f;
  for (std::int64_t r = lane; r < args.rank; r += warp_size) sum += expf(args.inv_t * from[r] - top);
  const float scale = 1.0f / warp_sum(sum);
  for (std::int64_t r = lane; r < args.rank; r += warp_size) to[r] = expf(args.inv_t * from[r] - top) * scale;
}

template <class T>
__global__ void update_values(NmfUpdateArgs<T> args) {
  const ProductTile tile;
  ProductSums numerator = {}, denominator = {};
  if (args.x.data != nullptr) {
    add_product<false, false>(tile.left(args.x, args.rows, args.depth), tile.right(args.right, args.rank),
                              args.depth, numerator);
  }
  add_product<false, false>(tile.left(args.values, args.rows, args.rank), tile.right(args.square, args.rank),
                            args.rank, denominator);
  for_each_sum(tile, args.rows, args.rank, [&](int i, int c, std::int64_t row, std::int64_t column) {
    float top = numerator[i][c];
    if (args.x.data == nullptr) {
      top = element(args.numerator, tile.image, row, column);
    } else if (args.numerator.data != nullptr) {
      element(args.numerator, tile.image, row, column) = top;
    }
    element(args.next, tile.image, row, column) =
        element(args.values, tile.image, row, column) * top / (denominator[i][c] + 1e-6f);
  });
}

/// A block makes one tile of x^T x_right or of values^T values_right, of one slice of the rows.
template <class T>
__global__ void sum_slices(NmfSumsArgs<T> args) {
  const std::int64_t x_tiles = (args.channels + product_rows - 1) / product_rows;
  const std::int64_t tiles = x_tiles + (args.values_columns + product_rows - 1) / product_rows;
  const std::int64_t slice = blockIdx.x / tiles, number = blockIdx.x % tiles;
  const bool of_x = number < x_tiles;
  ProductTile tile;
  tile.row = (of_x ? number : number - x_tiles) * product_rows;
  const std::int64_t per_slice =
      ((args.rows + args.slices - 1) / args.slices + product_depth - 1) / product_depth * product_depth;
  const std::int64_t first = min(args.rows, slice * per_slice);
  const std::int64_t depth = min(args.rows - first, per_slice);
  ProductSums sums = {};
  const auto add = [&](const auto& left, const ImageMatrix<const float>& right, std::int64_t columns) {
    ImageMatrix<const float> below = right;
    below.data += first * right.step;
    const auto* const from = left.data + tile.image * left.image_step + first * left.step + tile.row;
    add_product<true, false, std::decay_t<decltype(*from)>>(
        {from, left.step, columns - tile.row, reads_quads(columns, left.step)}, tile.right(below, args.rank),
        depth, sums);
  };
  if (of_x) {
    add(args.x, args.x_right, args.channels);
  } else {
    add(args.values, args.values_right, args.values_columns);
  }
  const std::int64_t columns = of_x ? args.channels : args.values_columns;
  const std::int64_t below = of_x ? 0 : args.channels;
  const std::int64_t rows = args.channels + args.values_columns;
  float* const to = args.parts + (tile.image * args.slices + slice) * rows * args.rank;
  const ProductThread thread;
  for (int i = 0; i < product_thread_rows; ++i) {
    const std::int64_t row =
        tile.row + product_thread_rows * thread.group + i;  // as a turned factor has them
    if (row >= columns) continue;
    for (int c = 0; c < 4; ++c) {
      const std::int64_t column = tile.column + thread.column() + c;
      if (column < args.rank) to[(below + row) * args.rank + column] = sums[i][c];
    }
  }
}

__global__ void reduce_slices(NmfReduceArgs args) {
  const std::int64_t size = args.rows * args.rank;
  const auto sum_at = [&](std::int64_t image, std::int64_t at) {
    float sum = 0.0f;
    for (std::int64_t s = 0; s < args.slices; ++s) sum += args.parts[(image * args.slices + s) * size + at];
    return sum;
  };
  for (std::int64_t i = global_thread(); i < args.images * size; i += global_threads()) {
    const std::int64_t image = i / size, row = i % size / args.rank, column = i % args.rank;
    float sum = sum_at(image, i % size);
    if (row >= args.symmetric_from) {
      sum += sum_at(image, (args.symmetric_from + column) * args.rank + row - args.symmetric_from);
    }
    args.sums[i] = sum;
  }
}

inline Grid product_grid(std::int64_t images, std::int64_t rows, std::int64_t columns) {
  return {blocks_of(rows, product_rows), product_threads, product_shared_bytes,
          static_cast<int>(blocks_of(columns, product_columns)), static_cast<int>(images)};
}
constexpr int row_threads = 128;
inline Grid row_grid(std::int64_t rows) {
  return {blocks_of(rows, row_threads / warp_size), row_threads};
}

}  // namespace device

template <class A, class Y>
void nmf_product(const NmfProductArgs<A, Y>& args, Stream stream) {
  device::launch("nmf",
                 args.transposed_b ? device::make_product<A, Y, true> : device::make_product<A, Y, false>,
                 device::product_grid(args.images, args.rows, args.columns), stream, args);
}

void nmf_start(const NmfStartArgs& args, Stream stream) {
  device::launch("nmf", device::start_rows, device::row_grid(args.images * args.rows), stream, args);
}

template <class T>
void nmf_update(const NmfUpdateArgs<T>& args, Stream stream) {
  device::launch("nmf", device::update_values<T>, device::product_grid(args.images, args.rows, args.rank),
                 stream, args);
}

template <class T>
void nmf_sums(const NmfSumsArgs<T>& args, Stream stream) {
  device::Grid grid = device::product_grid(args.images, args.channels, args.rank);
  grid.x = (grid.x + device::blocks_of(args.values_columns, device::product_rows)) * args.slices;
  device::launch("nmf", device::sum_slices<T>, grid, stream, args);
}

void nmf_reduce(const NmfReduceArgs& args, Stream stream) {
  device::launch("nmf", device::reduce_slices, device::elementwise_grid(args.images * args.rows * args.rank),
                 stream, args);
}

template void nmf_product(const NmfProductArgs<float, float>&, Stream);
template void nmf_product(const NmfProductArgs<float, half>&, Stream);
template void nmf_product(const NmfProductArgs<half, float>&, Stream);
template void nmf_product(const NmfProductArgs<float, bfloat16>&, Stream);
template void nmf_product(const NmfProductArgs<bfloat16, float>&, Stream);
template void nmf_update(const NmfUpdateArgs<float>&, Stream);
template void nmf_update(const NmfUpdateArgs<half>&, Stream);
template void nmf_update(const NmfUpdateArgs<bfloat16>&, Stream);
template void nmf_sums(const NmfSumsArgs<float>&, Stream);
template void nmf_sums(const NmfSumsArgs<half>&, Stream);
template void nmf_sums(const NmfSumsArgs<bfloat16>&, Stream);

}  // namespace dformer::cuda
