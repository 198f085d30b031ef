#pragma once

#include <dformer/backend/cuda/device/columns.cuh>
#include <dformer/backend/cuda/device/compensated_sum.cuh>
#include <dformer/backend/cuda/device/floats.cuh>
#include <dformer/backend/cuda/kernels/gradients/column_sums.hpp>

// Sums over the rows of a matrix, one or two for each channel, by two kernels: blocks add up slices of the
// rows, and then a second grid adds up what they found, always in the same order. No bit depends on which
// block ends first. Bounded by reading the matrix once.
namespace dformer::cuda::device {

/// Adds up slices of the rows of a [rows, channels], and of b where Function takes two operands. `Function`
/// has
/// - T, the type of the elements; how many `sums` it makes; whether it takes `two_operands`;
/// - a, b, columns, and partial, where the sums go;
/// - shift(channel, first row of the slice): a number of the channel for add;
/// - row(row): numbers of the row for add;
/// - add(a, b, shift, row, sums[2]).
template <class Function, int N>
__global__ __launch_bounds__(Columns::threads, 2) void sum_columns(Function function) {
  using T = typename Function::T;
  constexpr int rows_at_once = 4;  // loads that are on the way at the same time
  const Columns& columns = function.columns;
  const PartialSums& partial = function.partial;
  const ColumnThread at(columns, blockIdx.x);
  CompensatedSum sums[N][2];

  if (at.has_column) {
    const std::int64_t begin = columns.rows * at.slice / partial.slices;
    const std::int64_t end = columns.rows * (at.slice + 1) / partial.slices;
    float shift[N];
    for (int k = 0; k < N; ++k) shift[k] = function.shift(at.channel + k, begin);
    const auto add_rows = [&](std::int64_t first, std::int64_t count) {
      Pack<T, N> a[rows_at_once], b[rows_at_once];
      DFORMER_UNROLL
      for (int i = 0; i < rows_at_once; ++i) {
        if (i >= count) continue;
        const std::int64_t element = (first + i * columns.lanes) * columns.channels + at.channel;
        a[i] = *reinterpret_cast<const Pack<T, N>*>(function.a + element);
        b[i] = a[i];
        if (Function::two_operands) b[i] = *reinterpret_cast<const Pack<T, N>*>(function.b + element);
      }
      DFORMER_UNROLL
      for (int i = 0; i < rows_at_once; ++i) {
        if (i >= count) continue;
        const auto row = function.row(first + i * columns.lanes);
        DFORMER_UNROLL
        for (int k = 0; k < N; ++k) {
          function.add(to_float(a[i].values[k]), to_float(b[i].values[k]), shift[k], row, sums[k]);
        }
      }
    };
    std::int64_t row = begin + at.lane;
    for (; row + (rows_at_once - 1) * columns.lanes < end; row += rows_at_once * columns.lanes) {
      add_rows(row, rows_at_once);
    }
    if (row < end) add_rows(row, (end - 1 - row) / columns.lanes + 1);
  }

  // [lanes, N, width]: neighbours in a warp write neighbours.
  double* const shared = dynamic_shared<double>();
  const int found = N * columns.width;
  const std::int64_t tile = at.channel - at.column * N;
  for (int which = 0; which < Function::sums; ++which) {
    for (int k = 0; k < N && at.lane < columns.lanes; ++k) {
      shared[(at.lane * N + k) * columns.width + at.column] = sums[k][which].value();
    }
    __syncthreads();
    for (int i = static_cast<int>(threadIdx.x); i < found; i += Columns::threads) {
      const std::int64_t channel = tile + i % columns.width * N + i / columns.width;
      if (channel >= columns.channels) continue;
      double sum = 0.0;
      for (int lane = 0; lane < columns.lanes; ++lane) sum += shared[lane * found + i];
      partial.values[(at.slice * Function::sums + which) * columns.channels + channel] = sum;
    }
    __syncthreads();
  }
}

/// Adds up what the slices found. `Function` has
/// - partial, and how many `sums` there are for each channel;
/// - base(slice, channel): what rebase needs of memory;
/// - rebase(slice, base, sums[2]), which changes what a slice found before it is added;
/// - finish(channel, sums[2]), called once for each channel.
template <class Function>
__global__ __launch_bounds__(512) void finish_columns(Function function) {
  constexpr int lanes = 16;
  // Loads of so many slices are on the way at once: there are few blocks to hide how long they take.
  constexpr int slices_at_once = 8;
  __shared__ double shared[2][lanes][warp_size];
  const PartialSums& partial = function.partial;
  const int column = static_cast<int>(threadIdx.x) % warp_size,
            lane = static_cast<int>(threadIdx.x) / warp_size;
  const std::int64_t channel = static_cast<std::int64_t>(blockIdx.x) * warp_size + column;
  double sums[2] = {0.0, 0.0};
  if (channel < partial.channels) {
    for (std::int64_t first = lane; first < partial.slices; first += slices_at_once * lanes) {
      double found[slices_at_once][2] = {};
      decltype(function.base(first, channel)) base[slices_at_once] = {};
      DFORMER_UNROLL
      for (int i = 0; i < slices_at_once; ++i) {
        const std::int64_t slice = first + i * lanes;
        if (slice >= partial.slices) continue;
        for (int which = 0; which < Function::sums; ++which) {
          found[i][which] = partial.values[(slice * Function::sums + which) * partial.channels + channel];
        }
        base[i] = function.base(slice, channel);
      }
      DFORMER_UNROLL
      for (int i = 0; i < slices_at_once; ++i) {
        const std::int64_t slice = first + i * lanes;
        if (slice >= partial.slices) continue;
        function.rebase(slice, base[i], found[i]);
        for (int which = 0; which < Function::sums; ++which) sums[which] += found[i][which];
      }
    }
  }
  for (int which = 0; which < Function::sums; ++which) shared[which][lane][column] = sums[which];
  __syncthreads();
  if (lane != 0 || channel >= partial.channels) return;
  for (int which = 0; which < Function::sums; ++which) {
    for (int other = 1; other < lanes; ++other) sums[which] += shared[which][other][column];
  }
  function.finish(channel, sums);
}

template <class Function>
void launch_sum_columns(const char* name, const Function& function, Stream stream) {
  constexpr int width = widest_pack<typename Function::T>;
  const Columns& columns = function.columns;
  const Grid grid{function.partial.slices * columns.tiles, Columns::threads,
                  static_cast<std::size_t>(columns.lanes * columns.width * columns.pack) * sizeof(double)};
  launch(name, columns.pack == 1 ? sum_columns<Function, 1> : sum_columns<Function, width>, grid, stream,
         function);
}

template <class Function>
void launch_finish_columns(const char* name, const Function& function, Stream stream) {
  constexpr int threads = 512;
  launch(name, finish_columns<Function>, Grid{blocks_of(function.partial.channels, warp_size), threads},
         stream, function);
}

/// A number that nothing needs.
struct NoNumber {};

/// Writes the sums as they are, rounded to float. The second is left out where there is one sum, or one
/// place.
template <int Sums>
struct StoreSums {
  static constexpr int sums = Sums;
  PartialSums partial;
  float* results[2];

  __device__ __forceinline__ NoNumber base(std::int64_t, std::int64_t) const { return {}; }
  __device__ __forceinline__ void rebase(std::int64_t, NoNumber, double (&)[2]) const {}
  __device__ __forceinline__ void finish(std::int64_t channel, const double (&found)[2]) const {
    for (int which = 0; which < Sums; ++which) results[which][channel] = static_cast<float>(found[which]);
  }
};

}  // namespace dformer::cuda::device
