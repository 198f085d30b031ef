#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <string>

#include <dformer/backend/cpu/gradients/pointwise.hpp>
#include <dformer/backend/cpu/kernels/gradients/kernels.hpp>
#include <dformer/backend/cpu/resample.hpp>
#include <dformer/backend/cpu/scratch.hpp>
#include <dformer/backend/cpu/tensor.hpp>
#include <dformer/backend/cross_entropy_weights.hpp>
#include <dformer/backend/gradient_shapes.hpp>
#include <dformer/backend/gradients.hpp>

namespace dformer::cpu {

/// Losses with their gradients.
template <class T>
struct LossGradientOps {
  /// Of logits [N, h, w, K], resized (bilinear, align_corners false) to the labels' [N, height, width]; K is
  /// at most 256. The sum of the pixels' losses as torch.nn.functional.cross_entropy has it, with class
  /// weights and label smoothing, and its gradient. Throws: ShapeError; ArgumentError for a label that is
  /// neither a class nor ignored, and for options that do not fit.
  static SummedLoss<Tensor<T>> cross_entropy(const Tensor<T>& logits, std::span<const std::uint8_t> labels,
                                             std::int64_t height, std::int64_t width,
                                             const CrossEntropyOptions& options = {}) {
    const Shape& x = logits.shape();
    shapes::cross_entropy(x, labels.size(), height, width, options);
    const Device& device = logits.device();
    const CrossEntropyWeights of_labels(x[3], options);
    const Weights weights(device, of_labels, options.label_smoothing > 0);
    const std::array<std::int64_t, 256> counts = count_labels(labels);
    shapes::cross_entropy_labels(counts, labels, x[3], height, width, options);
    SummedLoss<Tensor<T>> result = of_labels.loss_of<Tensor<T>>(counts);

    const Tensor<ResizeTap> rows = resize_taps(device, x[1], height, false);
    const Tensor<ResizeTap> columns = resize_taps(device, x[2], width, false);
    const std::int64_t tasks = x[0] * x[1];
    Tensor<double> loss(device, Shape{tasks});
    Tensor<T> below =
        std::any_of(rows.data(), rows.data() + height, lies_between) ? Tensor<T>(device, x) : Tensor<T>();
    result.gradient = Tensor<T>(device, x);
    const CrossEntropyArgs<T> args{logits.data(),
                                   labels.data(),
                                   result.gradient.data(),
                                   below ? below.data() : nullptr,
                                   loss.data(),
                                   nullptr,
                                   rows.data(),
                                   columns.data(),
                                   weights.counted.data(),
                                   weights.total.data(),
                                   weights.target.data(),
                                   data_or_null(weights.smoothing),
                                   x[1],
                                   x[2],
                                   x[3],
                                   height,
                                   width};
    run_with_scratch<T>(device, tasks, args.scratch_elements(x[2], x[3]), args,
                        gradient_kernels<T>(device.isa()).cross_entropy);
    for (std::int64_t task = 0; task < tasks; ++task) result.sum += loss.data()[task];
    if (below) add_rows_below(below, result.gradient);
    if (options.gradient_scale) {
      result.gradient = PointwiseGradientOps<T>::scaled(
          result.gradient, static_cast<float>(of_labels.gradient_scale(options, result)));
    }
    return result;
  }

 private:
  /// CrossEntropyWeights for the kernel.
  struct Weights {
    static constexpr std::int64_t values = CrossEntropyArgs<T>::max_classes;

    Weights(const Device& device, const CrossEntropyWeights& weights, bool smooths)
        : counted(device, Shape{values}), total(device, Shape{values}), target(device, Shape{values}) {
      if (smooths) smoothing = Tensor<T>(device, Shape{values});
      for (std::int64_t c = 0; c < values; ++c) {
        const auto at = static_cast<std::size_t>(c);
        counted.data()[c] = weights.counted[at] ? 1 : 0;
        target.data()[c] = static_cast<T>(weights.target[at]);
        total.data()[c] = static_cast<T>(weights.total[at]);
        if (smooths) smoothing.data()[c] = static_cast<T>(weights.smoothing[at]);
      }
    }

    Tensor<std::uint8_t> counted;
    Tensor<T> total;
    Tensor<T> target;
    Tensor<T> smoothing;
  };

  static bool lies_between(const ResizeTap& tap) { return tap.weight > 0 && tap.first != tap.second; }

  /// `below` holds at each row what the next row of the gradient still gets.
  static void add_rows_below(const Tensor<T>& below, Tensor<T>& gradient) {
    const Shape& shape = gradient.shape();
    const std::int64_t row = shape[2] * shape[3];
    const Device& device = gradient.device();
    const auto kernel = kernels<T>(device.isa()).add;
    for (std::int64_t image = 0; image < shape[0]; ++image) {
      T* to = gradient.data() + (image * shape[1] + 1) * row;
      const PointwiseArgs<T> args{to, below.data() + image * shape[1] * row, to, (shape[1] - 1) * row,
                                  Activation::none};
      constexpr std::int64_t block = PointwiseArgs<T>::block;
      device.parallel_for((args.count + block - 1) / block,
                          [&](auto begin, auto end) { kernel(args, begin, end); });
    }
  }
};

}  // namespace dformer::cpu
