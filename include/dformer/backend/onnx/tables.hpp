#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <vector>

/// What depends on the size of the grid alone, computed when a graph is recorded and stored in it: in full
/// precision, whatever precision a runtime is told to use, and with nothing to compute at run time.
namespace dformer::onnx {

/// How much each of `input` rows has in each of `output` averages, by PyTorch's adaptive windows
/// [floor(i * input / output), ceil((i + 1) * input / output)). Shape: [output, input].
inline std::vector<float> pooling_matrix(std::int64_t input, std::int64_t output) {
  std::vector<float> matrix(static_cast<std::size_t>(output * input));
  for (std::int64_t i = 0; i < output; ++i) {
    const std::int64_t begin = i * input / output;
    const std::int64_t end = ((i + 1) * input + output - 1) / output;
    for (std::int64_t row = begin; row < end; ++row)
      matrix[static_cast<std::size_t>(i * input + row)] = 1.0f / static_cast<float>(end - begin);
  }
  return matrix;
}

/// The turn of every channel of a head at every token, cosines and sines of the angle, the angle rounded to
/// float32 first, all multiplied by `scale`. The sines of even channels are negative, as they multiply the
/// odd neighbour. Shape: [head_dim, tokens] each.
struct RotaryTables {
  std::vector<float> cosine;
  std::vector<float> sine;
};
inline RotaryTables rotary_tables(std::span<const float> angle, std::int64_t tokens, float scale) {
  RotaryTables tables;
  for (std::size_t channel = 0; channel < angle.size(); ++channel) {
    const double sign = channel % 2 == 0 ? -1.0 : 1.0;
    for (std::int64_t token = 0; token < tokens; ++token) {
      const double turn = static_cast<double>(static_cast<float>(token) * angle[channel]);
      tables.cosine.push_back(static_cast<float>(std::cos(turn) * static_cast<double>(scale)));
      tables.sine.push_back(static_cast<float>(std::sin(turn) * sign * static_cast<double>(scale)));
    }
  }
  return tables;
}

/// |i - j| between the tokens of a grid, Manhattan's distance. Shape: [T, T] with T = height * width.
inline std::vector<float> grid_distances(std::int64_t height, std::int64_t width) {
  std::vector<float> distances;
  const std::int64_t tokens = height * width;
  for (std::int64_t i = 0; i < tokens; ++i) {
    for (std::int64_t j = 0; j < tokens; ++j) {
      const std::int64_t distance = std::abs(i / width - j / width) + std::abs(i % width - j % width);
      distances.push_back(static_cast<float>(distance));
    }
  }
  return distances;
}

}  // namespace dformer::onnx
