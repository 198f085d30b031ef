#pragma once

#include <algorithm>
#include <cstdint>
#include <type_traits>

#include <dformer/backend/cuda/elements.hpp>
#include <dformer/backend/cuda/kernels/nmf.hpp>
#include <dformer/backend/cuda/kernels/nmf_on_tensor_cores.hpp>
#include <dformer/backend/cuda/tensor.hpp>

namespace dformer::cuda {

/// Some images x [images, rows, channels] that are factorized side by side, and the halves of a step that
/// way there and way back share. Matrices are [rows or channels, rank] of each image. In half and bfloat16
/// both take tensor cores where they can: the matrices of the way there are then rounded to TF32 where they
/// are made, those of the way back where products of all rows meet them.
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
        tensor_cores_(!std::is_same_v<T, float> && device.has_tensor_cores() && rank == core_rank &&
                      channels % 8 == 0),
        row_slices_(tensor_cores_ ? core_slices_of(rows, channels) : slices_of(rows, rows_per_slice)),
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
  /// Whether tensor cores are taken.
  bool on_tensor_cores() const { return tensor_cores_; }
  /// Elements of the sums of one image: [channels, rank], and below a square of `rank`.
  std::int64_t sums_step() const { return (channels_ + rank_) * rank_; }
  /// The matrices of a tensor [images, height, rank].
  Matrix matrix(Tensor<float>& tensor, std::int64_t height) const {
    return {tensor.data(), height * rank_, rank_};
  }

  /// Given bases with float32 elements, rounded as the factorization's own are.
  Tensor<T> kept(const Tensor<T>& bases) const {
    const Tensor<T> given = full(bases);
    if (!tensor_cores_) return given;
    Tensor<T> rounded(device_, given.shape(), Elements::full);
    nmf_round({given.full_data(), rounded.full_data(), given.elements()}, stream());
    return rounded;
  }

  /// gram [images, rank, rank] = bases^T bases.
  void make_gram(const ConstMatrix& bases, const Matrix& gram) const {
    if (tensor_cores_) {
      nmf_gram({bases, gram, images_, channels_}, stream());
    } else {
      sum_channels(bases, bases, false, gram.data);
    }
  }

  /// Similarities of rows and bases, the coefficients that they start with, and those after one update.
  /// `next` may be the similarities' memory.
  void start(const ConstMatrix& bases, const ConstMatrix& gram, float inv_t, const Matrix& similarities,
             const Matrix& coefficients, const Matrix& next) const {
    if constexpr (!std::is_same_v<T, float>) {
      if (tensor_cores_) {
        nmf_coefficients(
            NmfCoefficientsArgs<T>{
                x_, bases, gram, {}, coefficients, similarities, next, images_, rows_, channels_, inv_t},
            stream());
        return;
      }
    }
    nmf_product(
        NmfProductArgs<T, float>{x_, bases, similarities, images_, rows_, rank_, channels_, false, false},
        stream());
    nmf_start({read(similarities), coefficients, images_, rows_, rank_, inv_t}, stream());
    nmf_update(
        NmfUpdateArgs<T>{{}, {}, similarities, read(coefficients), gram, next, images_, rows_, rank_, 0},
        stream());
  }

  /// The next coefficients. `numerator`, x bases, is kept where it points to anything.
  void update_coefficients(const ConstMatrix& bases, const ConstMatrix& gram, const ConstMatrix& coefficients,
                           const Matrix& numerator, const Matrix& next) const {
    if constexpr (!std::is_same_v<T, float>) {
      if (tensor_cores_) {
        nmf_coefficients(
            NmfCoefficientsArgs<T>{
                x_, bases, gram, coefficients, {}, numerator, next, images_, rows_, channels_, 0.0f},
            stream());
        return;
      }
    }
    nmf_update(
        NmfUpdateArgs<T>{x_, bases, numerator, coefficients, gram, next, images_, rows_, rank_, channels_},
        stream());
  }

  /// The next bases. `sums` [channels + rank, rank] keeps x^T coefficients and, below, coefficients^T
  /// coefficients.
  void update_bases(const ConstMatrix& coefficients, const ConstMatrix& bases, const Matrix& sums,
                    const Matrix& next) const {
    if constexpr (!std::is_same_v<T, float>) {
      if (tensor_cores_) {
        nmf_slices(NmfSlicesArgs<T>{x_, coefficients, coefficients, coefficients, parts(), images_, rows_,
                                    channels_, row_slices_},
                   stream());
        nmf_bases({parts(), bases, sums, next, images_, channels_, row_slices_}, stream());
        return;
      }
    }
    sum_rows(x_, coefficients, coefficients, coefficients, false, sums.data);
    const ConstMatrix square{sums.data + channels_ * rank_, sums.image_step, sums.step};
    nmf_update(NmfUpdateArgs<T>{{}, {}, sums, bases, square, next, images_, channels_, rank_, 0}, stream());
  }

  /// y [rows, channels] = left right^T, of two matrices [rows or channels, depth]; depth is a multiple of the
  /// rank.
  void make_result(const ConstMatrix& left, const ConstMatrix& right, std::int64_t depth,
                   const ImageMatrix<T>& y) const {
    if constexpr (!std::is_same_v<T, float>) {
      if (tensor_cores_) {
        nmf_result(NmfResultArgs<T>{left, right, y, images_, rows_, channels_, depth}, stream());
        return;
      }
    }
    nmf_product(NmfProductArgs<float, T>{left, right, y, images_, rows_, channels_, depth, true, false},
                stream());
  }

  /// sums [images, channels + rank, rank]: left^T right, left of x's shape, and below values^T values_right,
  /// symmetrized on demand.
  void sum_rows(const Input& left, const ConstMatrix& right, const ConstMatrix& values,
                const ConstMatrix& values_right, bool symmetric, float* sums) const {
    sum_slices(left, right, values, values_right);
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
  void sum_slices(const Input& left, const ConstMatrix& right, const ConstMatrix& values,
                  const ConstMatrix& values_right) const {
    if constexpr (!std::is_same_v<T, float>) {
      if (tensor_cores_) {
        nmf_slices(NmfSlicesArgs<T>{left, right, values, values_right, parts(), images_, rows_, channels_,
                                    row_slices_},
                   stream());
        return;
      }
    }
    nmf_sums(NmfSumsArgs<T>{left, right, values, values_right, parts(), images_, rows_, channels_, rank_,
                            rank_, row_slices_},
             stream());
  }

  // Enough slices to fill a GPU with one image of the networks' size; decided by the shape alone.
  static constexpr std::int64_t rows_per_slice = 512;
  static constexpr std::int64_t channels_per_slice = 64;
  static constexpr std::int64_t most_slices = 16;
  static std::int64_t slices_of(std::int64_t rows, std::int64_t each) {
    return std::clamp<std::int64_t>(rows / each, 1, most_slices);
  }
  // On tensor cores a block takes half of 64 channels: together one for each multiprocessor of a large GPU.
  static std::int64_t core_slices_of(std::int64_t rows, std::int64_t channels) {
    const std::int64_t blocks = 2 * ((channels + 63) / 64 + 1);
    return std::clamp<std::int64_t>(132 / blocks, 1, (rows + rows_per_slice - 1) / rows_per_slice);
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
  bool tensor_cores_;
  std::int64_t row_slices_;
  std::int64_t channel_slices_;
  Tensor<float> parts_;
};

}  // namespace dformer::cuda
