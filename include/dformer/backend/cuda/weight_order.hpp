#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <dformer/backend/weight_layout.hpp>
#include <dformer/core/shape.hpp>

namespace dformer::cuda {

/// The order in which a weight lies in a GPU's memory: dense [O, I, k, k] as [O, k, k, I], so that a row is
/// what a window of a channels-last image is multiplied with; depthwise [C, 1, k, k] as [k, k, C], so that
/// neighbouring threads read neighbouring channels. As matrices: `rows` blocks of `inner` rows and `outer`
/// columns that are transposed.
struct WeightOrder {
  std::int64_t blocks, rows, columns;

  static WeightOrder of(WeightLayout layout, const Shape& shape) {
    const std::int64_t taps = shape.rank() == 4 ? shape[2] * shape[3] : 1;
    if (layout == WeightLayout::depthwise) return {1, shape[0], taps};
    return {shape[0], shape[1], taps};
  }

  /// From PyTorch's order to the GPU's.
  std::vector<float> to_device(std::span<const float> values) const {
    return transposed(values, rows, columns);
  }
  std::vector<float> to_host(std::span<const float> values) const {
    return transposed(values, columns, rows);
  }

 private:
  std::vector<float> transposed(std::span<const float> values, std::int64_t from_rows,
                                std::int64_t from_columns) const {
    std::vector<float> result(values.size());
    float* to = result.data();
    for (std::int64_t block = 0; block < blocks; ++block) {
      const float* from = values.data() + block * from_rows * from_columns;
      for (std::int64_t column = 0; column < from_columns; ++column) {
        for (std::int64_t row = 0; row < from_rows; ++row) *to++ = from[row * from_columns + column];
      }
    }
    return result;
  }
};

}  // namespace dformer::cuda
