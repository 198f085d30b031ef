#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

#include <dformer/backend/cpu/kernels/kernels.hpp>
#include <dformer/backend/cpu/packing.hpp>
#include <dformer/backend/cpu/tensor.hpp>

namespace dformer::cpu {

/// How a product is cut into tasks: blocks of rows by groups of pairs of panels. The cut changes no result:
/// every sum is made by one task, front to back.
struct ProductCut {
  std::int64_t blocks;
  std::int64_t groups;
  std::int64_t tasks() const { return blocks * groups; }
};

/// A group of panels stays in the second-level cache while block after block of rows passes by it; it takes
/// three quarters of a cache of 1 MiB. `row_bytes` is the length of one row of the left-hand matrix. Blocks
/// are a little less efficient the smaller they are, and shared among threads more evenly.
inline ProductCut cut_product(std::int64_t rows, std::int64_t row_bytes, std::int64_t panels, int threads) {
  constexpr std::int64_t group_bytes = 768 << 10;
  constexpr std::int64_t tasks_per_thread = 8;
  const std::int64_t block_rows = threads == 1 ? 224 : 112;
  const std::int64_t tasks = threads == 1 ? 1 : tasks_per_thread * threads;
  const std::int64_t pairs = (panels + 1) / 2;
  const std::int64_t blocks = (rows + block_rows - 1) / block_rows;
  const std::int64_t fitting_pairs =
      std::max<std::int64_t>(group_bytes / (2 * panel_width * std::max<std::int64_t>(row_bytes, 1)), 1);
  const std::int64_t fitting = (pairs + fitting_pairs - 1) / fitting_pairs;
  return {blocks, std::clamp((tasks + blocks - 1) / blocks, fitting, pairs)};
}

/// All rows of a product whose left-hand matrix is in memory.
template <class T>
void multiply_rows(const Device& device, const MatrixProductArgs<T>& all) {
  const std::int64_t panels = panels_of(all.channels);
  const std::int64_t pairs = (panels + 1) / 2;
  const ProductCut cut =
      cut_product(all.rows, all.depth * static_cast<std::int64_t>(sizeof(T)), panels, device.threads());
  const auto kernel = kernels<T>(device.isa()).matrix_product;
  // Every thread fetches one task after another, which keeps them busy to the end whatever each of them is
  // slowed by.
  std::atomic<std::int64_t> next{0};
  device.parallel_for(std::min<std::int64_t>(device.threads(), cut.tasks()), [&](std::int64_t, std::int64_t) {
    for (std::int64_t task; (task = next.fetch_add(1, std::memory_order_relaxed)) < cut.tasks();) {
      const std::int64_t group = task / cut.blocks;
      const std::int64_t block = task % cut.blocks;
      kernel(all.part(all.rows * block / cut.blocks, all.rows * (block + 1) / cut.blocks),
             2 * (pairs * group / cut.groups), std::min(panels, 2 * (pairs * (group + 1) / cut.groups)));
    }
  });
}

/// y = epilogue(rows * weight), weight packed as WeightLayout::dense. `rows` is the left-hand matrix:
/// `rows.count` rows of `rows.depth` elements; `rows.in_memory()` points to them where they lie one behind
/// another, and is null where they do not; `rows.gather(begin, end, to)` copies some of them together. They
/// are gathered by the few megabytes, so that the copy is still in a cache when it is read.
template <class T, class Rows>
void matrix_product(const Rows& rows, const Tensor<T>& weight, const EpilogueArgs<T>& epilogue,
                    Tensor<T>& y) {
  constexpr std::int64_t gathered_bytes = 4 << 20;
  const std::int64_t depth = rows.depth;
  const std::int64_t channels = y.shape().back();
  if (rows.count == 0 || channels == 0) return;

  const Device& device = y.device();
  MatrixProductArgs<T> args{rows.in_memory(), weight.data(), rows.count, depth, y.data(), channels, epilogue};
  if (args.a != nullptr) {
    multiply_rows(device, args);
    return;
  }
  const std::int64_t row_bytes = depth * static_cast<std::int64_t>(sizeof(T));
  const std::int64_t fitting_rows =
      std::max<std::int64_t>(gathered_bytes / std::max<std::int64_t>(row_bytes, 1), 1);
  const std::int64_t parts = (rows.count + fitting_rows - 1) / fitting_rows;
  Tensor<T> gathered(device, Shape{(rows.count + parts - 1) / parts, depth});
  for (std::int64_t part = 0; part < parts; ++part) {
    const std::int64_t begin = rows.count * part / parts;
    const std::int64_t end = rows.count * (part + 1) / parts;
    device.parallel_for(end - begin, [&](std::int64_t first, std::int64_t last) {
      rows.gather(begin + first, begin + last, gathered.data() + first * depth);
    });
    MatrixProductArgs<T> gathered_args = args.part(begin, end);
    gathered_args.a = gathered.data();
    multiply_rows(device, gathered_args);
  }
}

}  // namespace dformer::cpu
