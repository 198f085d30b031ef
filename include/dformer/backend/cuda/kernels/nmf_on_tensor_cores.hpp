#pragma once

#include <cstdint>

#include <dformer/backend/cuda/kernels/nmf.hpp>
#include <dformer/backend/cuda/stream.hpp>

// Launchers of the kernels in device/nmf_on_tensor_cores.cuh, for T half and bfloat16: the factorization in
// 64 bases, of images whose channels are a multiple of 8. Bases, coefficients and the squares that they are
// multiplied with are float32 with 10 bits of fraction (TF32), to which each is rounded where it is made;
// sums are float32.
namespace dformer::cuda {

constexpr std::int64_t core_rank = 64;

/// to = from, rounded.
struct NmfRoundArgs {
  const float* from;
  float* to;
  std::int64_t count;
};
void nmf_round(const NmfRoundArgs& args, Stream stream);

/// gram [64, 64] = bases^T bases.
struct NmfGramArgs {
  ImageMatrix<const float> bases;  ///< [channels, 64]
  ImageMatrix<float> gram;
  std::int64_t images;
  std::int64_t channels;
};
void nmf_gram(const NmfGramArgs& args, Stream stream);

/// The multiplicative update of coefficients,
///
///     next = values * numerator / (values gram + 1e-6), numerator = x bases.
///
/// Without values they are the first ones, softmax(inv_t * numerator).
template <class T>
struct NmfCoefficientsArgs {
  ImageMatrix<const T> x;           ///< [rows, channels]
  ImageMatrix<const float> bases;   ///< [channels, 64]
  ImageMatrix<const float> gram;    ///< [64, 64]
  ImageMatrix<const float> values;  ///< [rows, 64], or null
  ImageMatrix<float> first;         ///< [rows, 64], keeps the first ones, or null
  ImageMatrix<float> numerator;     ///< [rows, 64], keeps it, or null
  ImageMatrix<float> next;          ///< [rows, 64]
  std::int64_t images;
  std::int64_t rows;
  std::int64_t channels;
  float inv_t;
};
template <class T>
void nmf_coefficients(const NmfCoefficientsArgs<T>& args, Stream stream);

/// Sums of x^T x_right, and below it values^T values_right, over slices of the rows.
template <class T>
struct NmfSlicesArgs {
  ImageMatrix<const T> x;                 ///< [rows, channels]
  ImageMatrix<const float> x_right;       ///< [rows, 64]
  ImageMatrix<const float> values;        ///< [rows, 64]; rounded
  ImageMatrix<const float> values_right;  ///< [rows, 64]
  float* parts;                           ///< [images, slices, channels + 64, 64]
  std::int64_t images;
  std::int64_t rows;
  std::int64_t channels;
  std::int64_t slices;
};
template <class T>
void nmf_slices(const NmfSlicesArgs<T>& args, Stream stream);

/// The multiplicative update of bases from the slices' sums, next = values * numerator / (values square +
/// 1e-6).
struct NmfBasesArgs {
  const float* parts;               ///< [images, slices, channels + 64, 64]
  ImageMatrix<const float> values;  ///< [channels, 64]
  ImageMatrix<float> sums;          ///< [channels + 64, 64], keeps the numerator and, below, the square
  ImageMatrix<float> next;          ///< [channels, 64]
  std::int64_t images;
  std::int64_t channels;
  std::int64_t slices;
};
void nmf_bases(const NmfBasesArgs& args, Stream stream);

/// y = left right^T, of coefficients and bases, or of gradients along a `depth` of several 64.
template <class T>
struct NmfResultArgs {
  ImageMatrix<const float> left;   ///< [rows, depth]
  ImageMatrix<const float> right;  ///< [channels, depth]
  ImageMatrix<T> y;                ///< [rows, channels]
  std::int64_t images;
  std::int64_t rows;
  std::int64_t channels;
  std::int64_t depth;
};
template <class T>
void nmf_result(const NmfResultArgs<T>& args, Stream stream);

}  // namespace dformer::cuda
