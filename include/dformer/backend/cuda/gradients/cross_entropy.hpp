#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <dformer/backend/cross_entropy_weights.hpp>
#include <dformer/backend/cuda/kernels/gradients/cross_entropy.hpp>
#include <dformer/backend/cuda/tensor.hpp>
#include <dformer/backend/gradient_shapes.hpp>
#include <dformer/backend/gradients.hpp>

namespace dformer::cuda {

/// Losses with their gradients.
template <class T>
struct LossGradientOps {
  /// Of logits [N, h, w, K], resized (bilinear, align_corners false) to the labels' [N, height, width]; K is
  /// at most 256. The sum of the pixels' losses as torch.nn.functional.cross_entropy has it, with class
  /// weights and label smoothing, and its gradient. Waits until the sum is computed. Throws: ShapeError;
  /// ArgumentError for a label that is neither a class nor ignored, and for options that do not fit.
  static SummedLoss<Tensor<T>> cross_entropy(const Tensor<T>& logits, std::span<const std::uint8_t> labels,
                                             std::int64_t height, std::int64_t width,
                                             const CrossEntropyOptions& options = {}) {
    const Shape& x = logits.shape();
    shapes::cross_entropy(x, labels.size(), height, width, options);
    const CrossEntropyWeights weights(x[3], options);
    const std::array<std::int64_t, 256> counts = count_labels(labels);
    shapes::cross_entropy_labels(counts, labels, x[3], height, width, options);
    SummedLoss<Tensor<T>> result = weights.loss_of<Tensor<T>>(counts);

    const Device& device = logits.device();
    const Tensor<std::uint8_t> targets = upload<std::uint8_t>(device, labels);
    const Tensor<float> table = upload<float>(device, weight_table(weights, x[3]));
    result.gradient = Tensor<T>(device, x);
    CrossEntropyArgs<T> args{logits.data(),
                             targets.data(),
                             result.gradient.data(),
                             nullptr,
                             nullptr,
                             nullptr,
                             table.data(),
                             table.data() + x[3],
                             table.data() + 2 * x[3],
                             resize_axis(x[1], height, false),
                             resize_axis(x[2], width, false),
                             x[0],
                             static_cast<int>(x[3]),
                             options.ignore_index,
                             static_cast<float>(weights.gradient_scale(options, result))};
    Tensor<float> corners(device, Shape{args.cells(), 4, x[3]});
    // The sum, and behind it what it is the sum of, in the memory of twice as many floats.
    Tensor<float> losses(device, Shape{1 + args.blocks(), 2});
    args.corners = corners.data();
    args.loss = static_cast<double*>(losses.memory());
    args.losses = args.loss + 1;
    cuda::cross_entropy(args, device.stream());
    device.staging().download(&result.sum, args.loss, sizeof(double), device.stream());
    return result;
  }

 private:
  template <class E>
  static Tensor<E> upload(const Device& device, std::span<const E> values) {
    Tensor<E> tensor(device, Shape{static_cast<std::int64_t>(values.size())});
    device.staging().upload(tensor.memory(), values.data(), values.size_bytes(), device.stream());
    return tensor;
  }

  /// Total, target and smoothing weights of the classes, one after the other.
  static std::vector<float> weight_table(const CrossEntropyWeights& weights, std::int64_t classes) {
    std::vector<float> table;
    for (const auto* column : {&weights.total, &weights.target, &weights.smoothing}) {
      for (std::int64_t c = 0; c < classes; ++c) {
        table.push_back(static_cast<float>((*column)[static_cast<std::size_t>(c)]));
      }
    }
    return table;
  }
};

}  // namespace dformer::cuda
