#pragma once

#include <utility>

#include <dformer/backend/cuda/elements.hpp>
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
  /// the result is float32.
  /// Throws: ShapeError when the shapes disagree, ArgumentError when steps is negative.
  static Tensor<T> nmf(const Tensor<T>& x, const Tensor<T>& bases, int steps, float inv_t) {
    const Shape shape = shapes::nmf(x.shape(), bases.shape(), steps);
    const std::int64_t n = shape[0], rows = shape[1], channels = shape[2], rank = bases.shape()[2];
    const Device& device = x.device();
    Tensor<T> y(device, shape);
    if (shape.numel() == 0) return y;
    const NmfImages<T> images(device, x.data(), n, rows, channels, rank);
    const Tensor<T> given = full(bases);
    Tensor<float> bases_now(device, Shape{n, channels, rank}), bases_next(device, Shape{n, channels, rank});
    Tensor<float> coefficients(device, Shape{n, rows, rank}), coefficients_next(device, Shape{n, rows, rank});
    Tensor<float> gram(device, Shape{n, rank, rank}), sums(device, Shape{n, channels + rank, rank});
    const auto of_rows = [&](Tensor<float>& tensor) { return images.matrix(tensor, rows); };
    const auto of_rows_read = [&](Tensor<float>& tensor) { return images.read(of_rows(tensor)); };

    ImageMatrix<const float> used{given.full_data(), bases.shape()[0] == 1 ? 0 : channels * rank, rank};
    images.start(used, inv_t, of_rows(coefficients_next), of_rows(coefficients));
    const auto update_coefficients = [&] {
      images.sum_channels(used, used, false, gram.data());
      images.update_coefficients(used, images.read(images.matrix(gram, rank)), of_rows_read(coefficients), {},
                                 false, of_rows(coefficients_next));
      std::swap(coefficients, coefficients_next);
    };
    for (int step = 0; step < steps; ++step) {
      update_coefficients();
      images.sum_rows(images.x(), of_rows_read(coefficients), of_rows_read(coefficients),
                      of_rows_read(coefficients), false, sums.data());
      images.update_bases(images.matrix(sums, channels + rank), used, images.matrix(bases_next, channels));
      std::swap(bases_now, bases_next);
      used = images.read(images.matrix(bases_now, channels));
    }
    update_coefficients();
    nmf_product(NmfProductArgs<float, T>{of_rows_read(coefficients),
                                         used,
                                         {y.data(), rows * channels, channels},
                                         n,
                                         rows,
                                         channels,
                                         rank,
                                         true,
                                         false},
                device.stream());
    return y;
  }
};

}  // namespace dformer::cuda
