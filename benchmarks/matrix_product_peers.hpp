#pragma once

#include <cstdint>
#include <functional>

/// The libraries that benchmark_matrix_product compares with, each behind functions that prepare one
/// operation and return what does it once. Arrays are float, row-major and stay the caller's; an empty
/// function means that the library was not there at build time.
namespace peers {

/// y [rows, channels] = activation(x [rows, depth] * weight [channels, depth]^T + bias [channels]).
struct Product {
  std::int64_t rows, depth, channels;
  bool gelu;
  const float* x;
  const float* weight;
  const float* bias;
  float* y;
};

/// y [1, height/2, width/2, channels] from x [1, height, width, inputs]: 3 by 3, stride 2, padding 1, with a
/// bias.
struct Convolution {
  std::int64_t height, width, inputs, channels;
  const float* x;
  const float* weight;  ///< [channels, inputs, 3, 3]
  const float* bias;
  float* y;
};

/// Without the activation, which Eigen has no vector form of.
std::function<void()> eigen(const Product& product, int threads);

std::function<void()> onednn(const Product& product, int threads);
std::function<void()> onednn(const Convolution& convolution, int threads);

}  // namespace peers
