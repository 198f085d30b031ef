#pragma once

#include <algorithm>
#include <cstdint>

#include <dformer/backend/cuda/kernels/nmf.hpp>
#include <dformer/backend/cuda/tensor.hpp>

namespace dformer::cuda {

/// Some images x [images, rows, channels] that are factorized side by side, and the halves of a step that
/// way there and way back share. Matrices are [rows or channels, rank] of each image.
template <class T>
class NmfImages {
 public:
  using Matrix = ImageMatrix<float>;
  using ConstMatrix = ImageMatrix<const float>;
  using Input = ImageMatrix<const T>;

  NmfImages(const Device& device, const T* x, std::int64_t images, std::int64_t rows, std::int64_t channels,
            std::int64_t rank)
      : device_(device),
        x_{x, rows * channels, channels},
        images_(images),
        rows_(rows),
        channels_(channels),
        rank_(rank),
        row_slices_(slices_of(rows, rows_per_slice)),
        channel_slices_(slices_of(channels, channels_per_slice)),
        parts_(device,
               Shape{images, std::max(row_slices_ * (channels + rank), channel_slices_ * rank), rank}) {}

  const Device& device() const { return device_; }
  Stream stream() const { return device_.stream(); }
  const Input& x() const { return x_; }
  std::int64_t images() const { return images_; }
  std::int64_t rows() const { return rows_; }
  std::int64_t channels() const { return channels_; }
  std::int64_t rank() const { return rank_; }
  /// Elements of the sums of one image: [channels, rank], and below a square of `rank`.
  std::int64_t sums_step() const { return (channels_ + rank_) * rank_; }
  /// The matrices of a tensor [images, height, rank].
  Matrix matrix(Tensor<float>& tensor, std::int64_t height) const {
    return {tensor.data(), height * rank_, rank_};
  }

  /// Similarities of rows and bases, and the coefficients that they start with.
  void start(const ConstMatrix& bases, float inv_t, const Matrix& similarities,
             const Matrix& coefficients) const {
    nmf_product(
        NmfProductArgs<T, float>{x_, bases, similarities, images_, rows_, rank_, channels_, false, false},
        stream());
    nmf_start({read(similarities), coefficients, images_, rows_, rank_, inv_t}, stream());
  }

  /// The next coefficients. `numerator`, x bases, is kept where it points to anything; with `known` it is
  /// there already.
  void update_coefficients(const ConstMatrix& bases, const ConstMatrix& gram, const ConstMatrix& coefficients,
                           const Matrix& numerator, bool known, const Matrix& next) const {
    NmfUpdateArgs<T> args{x_, bases, numerator, coefficients, gram, next, images_, rows_, rank_, channels_};
    if (known) args.x = {};
    nmf_update(args, stream());
  }

  /// The next bases, from x^T coefficients and, below, coefficients^T coefficients.
  void update_bases(const Matrix& sums, const ConstMatrix& bases, const Matrix& next) const {
    const ConstMatrix square{sums.data + channels_ * rank_, sums.image_step, sums.step};
    nmf_update(NmfUpdateArgs<T>{{}, {}, sums, bases, square, next, images_, channels_, rank_, 0}, stream());
  }

  /// sums [images, channels + rank, rank]: left^T right, left of x's shape, and below values^T values_right,
  /// symmetrized on demand.
  void sum_rows(const Input& left, const ConstMatrix& right, const ConstMatrix& values,
                const ConstMatrix& values_right, bool symmetric, float* sums) const {
    nmf_sums(NmfSumsArgs<T>{left, right, values, values_right, parts(), images_, rows_, channels_, rank_,
                            rank_, row_slices_},
             stream());
    nmf_reduce({parts(), sums, images_, channels_ + rank_, rank_, row_slices_,
                symmetric ? channels_ : channels_ + rank_},
               stream());
  }
  /// sums [images, channels, rank]: left^T right, left of x's shape.
  void sum_rows(const Input& left, const ConstMatrix& right, float* sums) const {
    nmf_sums(NmfSumsArgs<T>{left, right, {}, {}, parts(), images_, rows_, channels_, 0, rank_, row_slices_},
             stream());
    nmf_reduce({parts(), sums, images_, channels_, rank_, row_slices_, channels_}, stream());
  }

  /// square [images, rank, rank]: left^T right of two matrices with a row for each channel.
  void sum_channels(const ConstMatrix& left, const ConstMatrix& right, bool symmetric, float* square) const {
    nmf_sums(
        NmfSumsArgs<T>{{}, {}, left, right, parts(), images_, channels_, 0, rank_, rank_, channel_slices_},
        stream());
    nmf_reduce({parts(), square, images_, rank_, rank_, channel_slices_, symmetric ? 0 : rank_}, stream());
  }

  static ConstMatrix read(const Matrix& matrix) { return {matrix.data, matrix.image_step, matrix.step}; }

 private:
  // Enough slices to fill a GPU with one image of the networks' size; decided by the shape alone.
  static constexpr std::int64_t rows_per_slice = 512;
  static constexpr std::int64_t channels_per_slice = 64;
  static constexpr std::int64_t most_slices = 16;
  static std::int64_t slices_of(std::int64_t rows, std::int64_t each) {
    return std::clamp<std::int64_t>(rows / each, 1, most_slices);
  }
  float* parts() const {
    Tensor<float> handle = parts_;
    return handle.data();
  }

  Device device_;
  Input x_;
  std::int64_t images_;
  std::int64_t rows_;
  std::int64_t channels_;
  std::int64_t rank_;
  std::int64_t row_slices_;
  std::int64_t channel_slices_;
  Tensor<float> parts_;
};

}  // namespace dformer::cuda
