#pragma once

#include <cstdint>

#include <dformer/backend/cuda/stream.hpp>
#include <dformer/core/half.hpp>

// Launchers of the kernels in device/nmf.cuh, for T float, half and bfloat16. All matrices but the images
// themselves are float32.
namespace dformer::cuda {

/// A matrix of each image: rows `step` elements apart.
template <class E>
struct ImageMatrix {
  E* data;
  std::int64_t image_step;
  std::int64_t step;
};

/// y = a b, y = a b^T, or y += a b, of each image. y [rows, columns]; `depth` is the extent they share.
template <class A, class Y>
struct NmfProductArgs {
  ImageMatrix<const A> a;
  ImageMatrix<const float> b;
  ImageMatrix<Y> y;
  std::int64_t images;
  std::int64_t rows;
  std::int64_t columns;
  std::int64_t depth;
  bool transposed_b;
  bool add;
};
template <class A, class Y>
void nmf_product(const NmfProductArgs<A, Y>& args, Stream stream);

/// coefficients = softmax(inv_t * similarities), of each row of `rank`.
struct NmfStartArgs {
  ImageMatrix<const float> similarities;
  ImageMatrix<float> coefficients;
  std::int64_t images;
  std::int64_t rows;
  std::int64_t rank;
  float inv_t;
};
void nmf_start(const NmfStartArgs& args, Stream stream);

/// The multiplicative update of coefficients or bases:
///
///     next = values * numerator / (values square + 1e-6)
///
/// where the numerator is x right, which `numerator` may keep, or, without x, is read from there.
template <class T>
struct NmfUpdateArgs {
  ImageMatrix<const T> x;           ///< [rows, depth]
  ImageMatrix<const float> right;   ///< [depth, rank]
  ImageMatrix<float> numerator;     ///< [rows, rank]
  ImageMatrix<const float> values;  ///< [rows, rank]
  ImageMatrix<const float> square;  ///< [rank, rank]
  ImageMatrix<float> next;          ///< [rows, rank]; not the memory of values
  std::int64_t images;
  std::int64_t rows;
  std::int64_t rank;
  std::int64_t depth;
};
template <class T>
void nmf_update(const NmfUpdateArgs<T>& args, Stream stream);

/// Sums over many rows, cut into slices: x^T x_right, and below it values^T values_right. Either may have no
/// columns.
template <class T>
struct NmfSumsArgs {
  ImageMatrix<const T> x;  ///< [rows, channels]
  ImageMatrix<const float> x_right;
  ImageMatrix<const float> values;  ///< [rows, values_columns]
  ImageMatrix<const float> values_right;
  float* parts;  ///< [images, slices, channels + values_columns, rank]
  std::int64_t images;
  std::int64_t rows;
  std::int64_t channels;
  std::int64_t values_columns;
  std::int64_t rank;
  std::int64_t slices;
};
template <class T>
void nmf_sums(const NmfSumsArgs<T>& args, Stream stream);

/// sums [images, rows, rank] of all slices, in their order. From row `symmetric_from` on they are a square S,
/// of which S + S^T is made.
struct NmfReduceArgs {
  const float* parts;
  float* sums;
  std::int64_t images;
  std::int64_t rows;
  std::int64_t rank;
  std::int64_t slices;
  std::int64_t symmetric_from;  ///< `rows` for none
};
void nmf_reduce(const NmfReduceArgs& args, Stream stream);

}  // namespace dformer::cuda
