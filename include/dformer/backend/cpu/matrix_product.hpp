#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include <dformer/backend/cpu/kernels/kernels.hpp>
#include <dformer/backend/cpu/packing.hpp>
#include <dformer/backend/cpu/tensor.hpp>

namespace dformer::cpu {

/// How a product is cut into tasks: blocks of rows by groups of panels. The cut changes no result: every sum
/// is made by one task, front to back.
struct ProductBlocking {
  std::int64_t blocks;
  std::int64_t groups;
  std::int64_t tasks() const { return blocks * groups; }
};

/// A block's rows stay in the second-level cache while all panels pass over them, so the larger it is the
/// less often the weight is read again; half of the cache is left to the panels. Groups exist only where
/// blocks are too few to keep the threads busy.
inline ProductBlocking product_blocking(std::int64_t rows, std::int64_t row_bytes, std::int64_t panels,
                                        int threads) {
  constexpr std::int64_t block_bytes = 512 << 10;
  constexpr std::int64_t fewest_rows = 56;
  constexpr std::int64_t most_rows = 224;
  const std::int64_t tasks = threads == 1 ? 1 : 4 * std::int64_t{threads};
  const std::int64_t fitting = std::clamp(block_bytes / row_bytes, fewest_rows, most_rows);
  const std::int64_t block_rows = std::clamp((rows + tasks - 1) / tasks, fewest_rows, fitting);
  const std::int64_t blocks = (rows + block_rows - 1) / block_rows;
  return {blocks,
          std::clamp<std::int64_t>((tasks + blocks - 1) / blocks, 1, std::max<std::int64_t>(panels / 2, 1))};
}

/// Distance between rows that can be read side by side. When it is a multiple of a large power of two, the
/// rows of a tile fall on the same few lines of the first-level cache and drive each other out.
template <class T>
constexpr bool is_harmless_stride(std::int64_t elements) {
  return elements * static_cast<std::int64_t>(sizeof(T)) % 1024 != 0;
}

/// y = epilogue(rows * weight), weight packed as WeightLayout::dense. `rows` is the left-hand matrix:
/// `rows.count` rows of `rows.depth` elements, `rows.in_memory()` points to them where they lie one behind
/// another (and is null where they do not), `rows.gather(begin, end, to, stride)` copies some of them.
template <class T, class Rows>
void matrix_product(const Rows& rows, const Tensor<T>& weight, const EpilogueArgs<T>& epilogue,
                    Tensor<T>& y) {
  const Device& device = y.device();
  const std::int64_t channels = y.shape().back();
  const std::int64_t depth = rows.depth;
  const std::int64_t panels = panels_of(channels);
  if (rows.count == 0 || channels == 0) return;

  const ProductBlocking blocking =
      product_blocking(rows.count, depth * static_cast<std::int64_t>(sizeof(T)), panels, device.threads());
  const std::int64_t workers = std::min<std::int64_t>(device.threads(), blocking.tasks());
  const T* const direct = is_harmless_stride<T>(depth) ? rows.in_memory() : nullptr;
  const std::int64_t gathered_stride = depth + (is_harmless_stride<T>(depth) ? 0 : 16);
  const std::int64_t block_rows = (rows.count + blocking.blocks - 1) / blocking.blocks;
  Tensor<T> gathered;
  if (direct == nullptr) gathered = Tensor<T>(device, Shape{workers, block_rows, gathered_stride});

  const auto kernel = kernels<T>(device.isa()).matrix_product;
  std::atomic<std::int64_t> next{0};
  // A worker, not a task, is what the pool hands out, so that each has its own buffer and fills it once for
  // neighbouring tasks of one block.
  device.parallel_for(workers, [&](std::int64_t first_worker, std::int64_t) {
    T* const buffer =
        direct == nullptr ? gathered.data() + first_worker * block_rows * gathered_stride : nullptr;
    std::int64_t held = -1;
    for (std::int64_t task; (task = next.fetch_add(1, std::memory_order_relaxed)) < blocking.tasks();) {
      const std::int64_t block = task / blocking.groups;
      const std::int64_t group = task % blocking.groups;
      const std::int64_t begin = rows.count * block / blocking.blocks;
      const std::int64_t end = rows.count * (block + 1) / blocking.blocks;
      if (direct == nullptr && held != block) rows.gather(begin, end, buffer, gathered_stride);
      held = block;
      const MatrixProductArgs<T> args{direct == nullptr ? buffer : direct + begin * depth,
                                      direct == nullptr ? gathered_stride : depth,
                                      weight.data(),
                                      end - begin,
                                      depth,
                                      y.data() + begin * channels,
                                      channels,
                                      epilogue.advanced(begin * channels)};
      kernel(args, panels * group / blocking.groups, panels * (group + 1) / blocking.groups);
    }
  });
}

}  // namespace dformer::cpu
