#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <dformer/backend/cpu/kernels/gradients/kernels.hpp>
#include <dformer/backend/cpu/packing.hpp>
#include <dformer/backend/cpu/tensor.hpp>

namespace dformer::cpu {

/// How the gradient of a dense weight is cut into tasks, by shapes alone: slices of the rows, whose sums are
/// added at the end, by runs of neighbouring pieces of the columns, by groups of the panels.
struct WeightCut {
  std::int64_t slices;
  std::vector<std::size_t> runs;  ///< the first piece of each, and the number of pieces
  std::int64_t groups;
  std::int64_t block_rows;  ///< so many that the rows of a run stay in the second-level cache
};

/// Rows are cut first, since then no two tasks read the same, as long as the sums of all slices are no longer
/// than half of the operands. `widths` are those of the pieces.
inline WeightCut cut_weight(std::int64_t rows, const std::vector<std::int64_t>& widths, std::int64_t outputs,
                            std::int64_t element_bytes) {
  constexpr std::int64_t tasks = 16;
  constexpr std::int64_t least_rows = 256;
  constexpr std::int64_t run_width = 256;
  constexpr std::size_t run_pieces = 64;
  constexpr std::int64_t sums_bytes = 256 << 10;
  constexpr std::int64_t block_bytes = 128 << 10;
  WeightCut cut{};
  std::int64_t inputs = 0, run = 0, longest = 1;
  for (std::size_t piece = 0; piece < widths.size(); ++piece) {
    if (cut.runs.empty() || run + widths[piece] > run_width || piece - cut.runs.back() == run_pieces) {
      cut.runs.push_back(piece);
      run = 0;
    }
    run += widths[piece];
    inputs += widths[piece];
    longest = std::max(longest, run);
  }
  const auto runs = static_cast<std::int64_t>(cut.runs.size());
  cut.runs.push_back(widths.size());

  const std::int64_t pairs = (panels_of(outputs) + 1) / 2;
  const std::int64_t fitting_pairs =
      std::max<std::int64_t>(1, sums_bytes / (longest * 2 * panel_width * element_bytes));
  cut.groups = (pairs + fitting_pairs - 1) / fitting_pairs;
  const std::int64_t affordable =
      std::min(rows / least_rows, rows * (inputs + outputs) / (4 * inputs * outputs));
  cut.slices = std::clamp<std::int64_t>((tasks + runs * cut.groups - 1) / (runs * cut.groups), 1,
                                        std::max<std::int64_t>(affordable, 1));
  cut.groups = std::clamp((tasks + runs * cut.slices - 1) / (runs * cut.slices), cut.groups, pairs);
  cut.block_rows = std::clamp<std::int64_t>(block_bytes / (longest * element_bytes), 32,
                                            OuterProductArgs<float>::max_rows);
  return cut;
}

/// The gradient of a dense weight, packed as the weight is: x transposed by dy [rows][channels], where x is a
/// matrix whose columns lie in pieces. `x.widths()` are those of the pieces; `x.block_end(begin, end, most)`
/// says how far from row `begin` a block of at most so many rows may go; `x.columns(piece, begin, end)`
/// describes a piece in a block.
template <class T, class Rows>
void weight_gradient(const Rows& x, const Tensor<T>& dy, Tensor<T>& dw) {
  const Device& device = dy.device();
  const std::int64_t channels = dy.shape().back();
  const std::int64_t rows = dy.shape().rows();
  const std::int64_t panels = panels_of(channels);
  const std::int64_t panel_stride = dw.elements() / panels;
  if (rows == 0) {
    std::fill_n(dw.data(), dw.elements(), T(0));
    return;
  }
  const WeightCut cut = cut_weight(rows, x.widths(), channels, sizeof(T));
  Tensor<T> parts;
  if (cut.slices > 1) parts = Tensor<T>(device, Shape{cut.slices, dw.elements()});
  T* const sums = cut.slices > 1 ? parts.data() : dw.data();

  const auto& kernels = gradient_kernels<T>(device.isa());
  const auto runs = static_cast<std::int64_t>(cut.runs.size()) - 1;
  const std::int64_t tasks = cut.slices * runs * cut.groups;
  std::atomic<std::int64_t> next{0};
  device.parallel_for(std::min<std::int64_t>(device.threads(), tasks), [&](std::int64_t, std::int64_t) {
    std::array<OuterProductColumns<T>, 64> columns;
    for (std::int64_t task; (task = next.fetch_add(1, std::memory_order_relaxed)) < tasks;) {
      const std::int64_t slice = task / (runs * cut.groups), group = task % cut.groups;
      const std::size_t first_piece = cut.runs[static_cast<std::size_t>(task / cut.groups % runs)];
      const std::size_t last_piece = cut.runs[static_cast<std::size_t>(task / cut.groups % runs) + 1];
      const std::int64_t first_row = rows * slice / cut.slices, last_row = rows * (slice + 1) / cut.slices;
      for (std::int64_t begin = first_row, end = 0; begin < last_row; begin = end) {
        end = x.block_end(begin, last_row, cut.block_rows);
        for (std::size_t piece = first_piece; piece < last_piece; ++piece)
          columns[piece - first_piece] = x.columns(piece, begin, end);
        const OuterProductArgs<T> args{columns.data(),
                                       static_cast<std::int64_t>(last_piece - first_piece),
                                       dy.data() + begin * channels,
                                       channels,
                                       end - begin,
                                       sums + slice * dw.elements(),
                                       panel_stride,
                                       begin > first_row,
                                       end + (end - begin) <= last_row};
        kernels.outer_product(args, panels * group / cut.groups, panels * (group + 1) / cut.groups);
      }
    }
  });
  if (cut.slices > 1) {
    const SumPartsArgs<T> all{parts.data(), cut.slices, dw.elements(), dw.data()};
    device.parallel_for(all.tasks(), [&](auto begin, auto end) { kernels.sum_parts(all, begin, end); });
  }
}

}  // namespace dformer::cpu
