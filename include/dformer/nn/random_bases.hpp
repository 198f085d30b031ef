#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>

#include <dformer/core/fill.hpp>

namespace dformer {

/// Divides each column of matrices by its L2 norm over Channels. Shapes: values [count * Channels * Rank],
/// row-major.
inline void normalize_columns(int channels, int rank, std::span<float> values) {
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

/// Starting bases of the decomposition: uniform numbers in [0, 1), in normalised columns. Shapes: values
/// [count * Channels * Rank], row-major.
inline void random_bases(const NamedStream& stream, int channels, int rank, std::span<float> values) {
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = stream.uniform(i);
  normalize_columns(channels, rank, values);
}

}  // namespace dformer
