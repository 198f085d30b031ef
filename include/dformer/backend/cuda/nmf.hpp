#pragma once

#include <utility>

#include <dformer/backend/cuda/nmf_images.hpp>
#include <dformer/backend/cuda/tensor.hpp>
#include <dformer/backend/shapes.hpp>

namespace dformer::cuda {

template <class T>
struct FactorizationOps {
  /// The matrix decomposition of the Hamburger (Geng et al., "Is Attention Better Than Matrix
  /// Decomposition?", ICLR 2021, section 2): x [N, T, D] is approximated by coefficients [T, R], which start
  /// as softmax(inv_t * x bases), times bases [N, D, R] ([1, D, R] for all images alike); `steps`
  /// multiplicative updates of both, one more of the coefficients, and their product [N, T, D]. All but x and
  /// the result is float32, rounded to TF32 where tensor cores multiply it.
  /// Throws: ShapeError when the shapes disagree, ArgumentError when steps is negative.
  static Tensor<T> nmf(const Tensor<T>& x, const Tensor<T>& bases, int steps, float inv_t) {
    const Shape shape = shapes::nmf(x.shape(), bases.shape(), steps);
    require_one_device("nmf", x, bases);
    const std::int64_t n = shape[0], rows = shape[1], channels = shape[2], rank = bases.shape()[2];
    const Device& device = x.device();
    Tensor<T> y(device, shape);
    if (shape.numel() == 0) return y;
    const NmfImages<T> images(device, x.data(), n, rows, channels, rank);
    const Tensor<T> given = images.kept(bases);
    Tensor<float> bases_now(device, Shape{n, channels, rank}), bases_next(device, Shape{n, channels, rank});
    Tensor<float> coefficients(device, Shape{n, rows, rank}), coefficients_next(device, Shape{n, rows, rank});
    Tensor<float> gram(device, Shape{n, rank, rank}), sums(device, Shape{n, channels + rank, rank});
    const auto of_rows = [&](Tensor<float>& tensor) { return images.matrix(tensor, rows); };
    const auto of_rows_read = [&](Tensor<float>& tensor) { return images.read(of_rows(tensor)); };
    const auto gram_of = [&](const ImageMatrix<const float>& used) {
      images.make_gram(used, images.matrix(gram, rank));
      return images.read(images.matrix(gram, rank));
    };

    ImageMatrix<const float> used{given.full_data(), bases.shape()[0] == 1 ? 0 : channels * rank, rank};
    images.start(used, gram_of(used), inv_t, of_rows(coefficients_next), of_rows(coefficients),
                 of_rows(coefficients_next));
    std::swap(coefficients, coefficients_next);
    for (int step = 0; step < steps; ++step) {
      images.update_bases(of_rows_read(coefficients), used, images.matrix(sums, channels + rank),
                          images.matrix(bases_next, channels));
      std::swap(bases_now, bases_next);
      used = images.read(images.matrix(bases_now, channels));
      images.update_coefficients(used, gram_of(used), of_rows_read(coefficients), {},
                                 of_rows(coefficients_next));
      std::swap(coefficients, coefficients_next);
    }
    images.make_result(of_rows_read(coefficients), used, rank, {y.data(), rows * channels, channels});
    return y;
  }
};

}  // namespace dformer::cuda
