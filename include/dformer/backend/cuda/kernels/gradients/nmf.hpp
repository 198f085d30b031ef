#pragma once

#include <cstdint>

#include <dformer/backend/cuda/kernels/nmf.hpp>

// Launchers of the kernels in device/gradients/nmf.cuh.
namespace dformer::cuda {

/// Back through next = values * numerator / (values square + 1e-6), of coefficients or of bases. The gradient
/// of `next` is
///
///     gradient + given + x right + next dsquare
///
/// where what is left out (null) is 0. It becomes that of the values, but for the part that goes through the
/// denominator: ddenominator square.
template <class T>
struct NmfUpdateGradientArgs {
  ImageMatrix<float> gradient;         ///< [rows, rank]
  ImageMatrix<const float> given;      ///< [rows, rank]
  ImageMatrix<const T> x;              ///< [rows, depth]
  ImageMatrix<const float> right;      ///< [depth, rank]
  ImageMatrix<const float> next;       ///< [rows, rank]
  ImageMatrix<const float> dsquare;    ///< [rank, rank]
  ImageMatrix<const float> values;     ///< [rows, rank]
  ImageMatrix<const float> square;     ///< [rank, rank]
  ImageMatrix<const float> numerator;  ///< [rows, rank]
  ImageMatrix<float> dnumerator;       ///< [rows, rank]; may be the numerator's memory
  ImageMatrix<float> ddenominator;     ///< [rows, rank]
  std::int64_t images;
  std::int64_t rows;
  std::int64_t rank;
  std::int64_t depth;
};
template <class T>
void nmf_update_gradient(const NmfUpdateGradientArgs<T>& args, Stream stream);

/// Back through the start: adds to `dsimilarities` what the gradient of the coefficients comes to.
struct NmfStartGradientArgs {
  ImageMatrix<const float> coefficients;
  ImageMatrix<const float> gradient;
  ImageMatrix<float> dsimilarities;
  std::int64_t images;
  std::int64_t rows;
  std::int64_t rank;
  float inv_t;
};
void nmf_start_gradient(const NmfStartGradientArgs& args, Stream stream);

}  // namespace dformer::cuda
