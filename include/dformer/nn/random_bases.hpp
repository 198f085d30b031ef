#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>

#include <dformer/core/fill.hpp>

namespace dformer {

/// Starting bases of the decomposition: uniform numbers in [0, 1), each column divided by its L2 norm over
/// Channels. Shapes: values [count * Channels * Rank], row-major.
inline void random_bases(const NamedStream& stream, int channels, int rank, std::span<float> values) {
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = stream.uniform(i);
  const auto columns = static_cast<std::size_t>(rank);
  const std::size_t matrix = static_cast<std::size_t>(channels) * columns;
  for (std::size_t start = 0; start < values.size(); start += matrix) {
    for (std::size_t r = 0; r < columns; ++r) {
      double squares = 0.0;
      for (std::size_t i = start + r; i < start + matrix; i += columns) {
        squares += static_cast<double>(values[i]) * static_cast<double>(values[i]);
      }
      const auto norm = static_cast<float>(std::max(std::sqrt(squares), 1e-12));
      for (std::size_t i = start + r; i < start + matrix; i += columns) values[i] /= norm;
    }
  }
}

}  // namespace dformer
