#pragma once

#include <cstdint>

#include <dformer/backend/cuda/stream.hpp>
#include <dformer/backend/epilogue.hpp>
#include <dformer/core/half.hpp>

// Launchers of the kernels in device/pointwise.cuh, for T float, half and bfloat16.
namespace dformer::cuda {

template <class T>
struct ActivateArgs {
  const T* x;
  T* y;
  std::int64_t count;
  Activation activation;
};
template <class T>
void activate(const ActivateArgs<T>& args, Stream stream);

template <class T>
struct BinaryArgs {
  const T* a;
  const T* b;
  T* y;
  std::int64_t count;
};
template <class T>
void add(const BinaryArgs<T>& args, Stream stream);
template <class T>
void multiply(const BinaryArgs<T>& args, Stream stream);

/// Writes x [rows, channels] to columns of a matrix whose rows are `y_step` elements apart.
template <class T>
struct CopyColumnsArgs {
  const T* x;
  T* y;
  std::int64_t rows;
  std::int64_t channels;
  std::int64_t x_step;
  std::int64_t y_step;
};
template <class T>
void copy_columns(const CopyColumnsArgs<T>& args, Stream stream);

/// Softmax of each row of x [rows, channels].
template <class T>
struct SoftmaxArgs {
  const T* x;
  T* y;
  std::int64_t rows;
  std::int64_t channels;
};
template <class T>
void softmax(const SoftmaxArgs<T>& args, Stream stream);

/// y = sigmoid(scale * sum_c x * spatial) * x * channel of each row of x [rows, channels]; every
/// `rows_of_image` rows share one of `spatial` and of `channel`.
template <class T>
struct GateArgs {
  const T* x;
  const T* spatial;  ///< [images, channels]
  const T* channel;  ///< [images, channels]
  T* y;
  std::int64_t rows;
  std::int64_t rows_of_image;
  std::int64_t channels;
  float scale;
};
template <class T>
void gate(const GateArgs<T>& args, Stream stream);

}  // namespace dformer::cuda
