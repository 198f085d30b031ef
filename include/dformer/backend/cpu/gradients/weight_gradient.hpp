#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <span>
#include <vector>

#include <dformer/backend/cpu/kernels/gradients/kernels.hpp>
#include <dformer/backend/cpu/packing.hpp>
#include <dformer/backend/cpu/tensor.hpp>

namespace dformer::cpu {

/// Some columns of the left-hand matrix of a product whose weight's gradient is wanted.
template <class T>
struct WeightColumns {
  std::int64_t begin;  ///< in the matrix, and of the weight's inputs
  std::int64_t width;
  const T* x;  ///< the first of them in the first row; null where rows have to be gathered
  std::int64_t stride;
};

/// How the gradient of a dense weight is cut into tasks, by shapes alone: slices of rows, whose sums are
/// added at the end, by pieces of the columns, by groups of the panels.
struct WeightCut {
  std::int64_t slices;
  std::int64_t groups;
  std::int64_t block_rows;  ///< of which both operands fit a second-level cache beside the sums
};

/// Rows are cut first, since each task then reads operands that no other does, as long as that makes the sums
/// of the slices no longer than the operands.
inline WeightCut cut_weight(std::int64_t rows, std::int64_t inputs, std::int64_t outputs, std::int64_t pieces,
                            std::int64_t element_bytes) {
  constexpr std::int64_t tasks = 16;
  constexpr std::int64_t least_rows = 256;
  constexpr std::int64_t most_panels = 32;
  constexpr std::int64_t block_bytes = 256 << 10;
  const std::int64_t panels = panels_of(outputs);
  const std::int64_t pairs = (panels + 1) / 2;
  const std::int64_t few = std::min(rows / least_rows, rows * (inputs + outputs) / (4 * inputs * outputs));
  WeightCut cut{};
  cut.groups = (panels + most_panels - 1) / most_panels;
  cut.slices = std::clamp<std::int64_t>((tasks + pieces * cut.groups - 1) / (pieces * cut.groups), 1,
                                        std::max<std::int64_t>(few, 1));
  const std::int64_t cells = (tasks + cut.slices - 1) / cut.slices;
  cut.groups = std::clamp((cells + pieces - 1) / pieces, cut.groups, std::max(pairs, cut.groups));
  const std::int64_t columns = inputs / pieces + outputs / cut.groups + 1;
  cut.block_rows = std::clamp<std::int64_t>(block_bytes / (columns * element_bytes), 32,
                                            OuterProductArgs<float>::max_block_rows);
  return cut;
}

/// The gradient of a dense weight, packed as the weight is: the matrix of x, whose columns `pieces` are,
/// transposed, by dy [rows][channels]. Pieces without elements are copied together by gather(piece, begin,
/// end, to), a block of rows at a time.
template <class T, class Gather>
void weight_gradient(std::span<const WeightColumns<T>> pieces, const Gather& gather, std::int64_t rows,
                     const Tensor<T>& dy, Tensor<T>& dw) {
  const Device& device = dy.device();
  const std::int64_t channels = dy.shape().back();
  const std::int64_t depth = pieces.back().begin + pieces.back().width;
  const std::int64_t panels = panels_of(channels);
  if (rows == 0) {
    std::fill_n(dw.data(), dw.elements(), T(0));
    return;
  }
  const auto count = static_cast<std::int64_t>(pieces.size());
  const WeightCut cut = cut_weight(rows, depth, channels, count, sizeof(T));
  Tensor<T> parts;
  if (cut.slices > 1) parts = Tensor<T>(device, Shape{cut.slices, dw.elements()});
  T* const sums = cut.slices > 1 ? parts.data() : dw.data();

  std::int64_t gathered_width = 0;
  for (const WeightColumns<T>& piece : pieces) {
    if (piece.x == nullptr) gathered_width = std::max(gathered_width, piece.width);
  }
  Tensor<T> gathered(device, Shape{device.threads(), cut.block_rows * gathered_width});

  const auto& kernels = gradient_kernels<T>(device.isa());
  const std::int64_t tasks = cut.slices * count * cut.groups;
  std::atomic<std::int64_t> next{0};
  device.parallel_for(std::min<std::int64_t>(device.threads(), tasks), [&](std::int64_t slot, std::int64_t) {
    T* const own = gathered.data() + slot * cut.block_rows * gathered_width;
    for (std::int64_t task; (task = next.fetch_add(1, std::memory_order_relaxed)) < tasks;) {
      const std::int64_t slice = task / (count * cut.groups);
      const WeightColumns<T>& piece = pieces[static_cast<std::size_t>(task / cut.groups % count)];
      const std::int64_t group = task % cut.groups;
      const std::int64_t first = panels * group / cut.groups, last = panels * (group + 1) / cut.groups;
      const std::int64_t begin = rows * slice / cut.slices, end = rows * (slice + 1) / cut.slices;
      OuterProductArgs<T> args{piece.x == nullptr ? own : piece.x + begin * piece.stride,
                               piece.stride,
                               piece.width,
                               dy.data() + begin * channels,
                               channels,
                               end - begin,
                               sums + slice * dw.elements() + piece.begin * panel_width,
                               depth * panel_width,
                               false,
                               cut.block_rows};
      if (piece.x != nullptr) {
        kernels.outer_product(args, first, last);
        continue;
      }
      args.x = own;
      args.x_stride = piece.width;
      for (std::int64_t row = begin; row < end; row += cut.block_rows, args.add = true) {
        args.rows = std::min(cut.block_rows, end - row);
        args.dy = dy.data() + row * channels;
        gather(piece, row, row + args.rows, own);
        kernels.outer_product(args, first, last);
      }
    }
  });
  if (cut.slices > 1) {
    const SumPartsArgs<T> all{parts.data(), cut.slices, dw.elements(), dw.data()};
    device.parallel_for(all.tasks(), [&](auto begin, auto end) { kernels.sum_parts(all, begin, end); });
  }
}

}  // namespace dformer::cpu
