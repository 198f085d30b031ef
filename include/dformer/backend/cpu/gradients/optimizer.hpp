#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <string>

#include <dformer/backend/cpu/gradients/channel_sums.hpp>
#include <dformer/backend/cpu/gradients/pointwise.hpp>
#include <dformer/backend/cpu/kernels/gradients/kernels.hpp>
#include <dformer/backend/cpu/storage.hpp>
#include <dformer/backend/cpu/tensor.hpp>
#include <dformer/backend/gradient_shapes.hpp>
#include <dformer/backend/gradients.hpp>

namespace dformer::cpu {

/// Steps of optimisers. They go over all elements in memory, padding of packed weights included: it is zero
/// in values and gradients, and stays so. Throws: ShapeError when operands differ in shape or layout.
template <class T>
struct OptimizerOps {
  /// Zeros of x's shape and layout.
  static Tensor<T> zeros_like(const Tensor<T>& x) {
    Tensor<T> zeros(x.device(), x.shape(), x.elements());
    const ElementBlocks blocks{x.elements()};
    x.device().parallel_for(blocks.tasks(), [&](std::int64_t begin, std::int64_t end) {
      std::fill(zeros.data() + begin * blocks.block,
                zeros.data() + std::min(end * blocks.block, blocks.count), T(0));
    });
    return zeros;
  }

  /// The same with values in PyTorch's order.
  static Tensor<T> moment_from_host(const Device& device, WeightLayout layout, const Shape& shape,
                                    std::span<const float> values) {
    return StorageOps<T>::weight_from_host(device, layout, shape, values);
  }

  /// In double, whatever T is.
  static double sum_of_squares(const Tensor<T>& x) {
    const auto kernel = gradient_kernels<T>(x.device().isa()).channel_products;
    constexpr std::int64_t group = 64;
    const GroupedRows elements{.channels = 1, .rows = x.elements(), .group = group, .width = group};
    return sum_rows<T>(kernel, x.device(), elements, x.data(), x.data()).data()[0];
  }

  static double sum_of_squares(std::span<const Tensor<T>> tensors) {
    double sum = 0;
    for (const Tensor<T>& x : tensors) sum += sum_of_squares(x);
    return sum;
  }

  /// One step of torch.optim.AdamW; `mean` and `squares` are its exp_avg and exp_avg_sq, zeros before the
  /// first. Throws: ArgumentError when the step's number is below 1.
  static void adamw(Tensor<T>& value, const Tensor<T>& gradient, Tensor<T>& mean, Tensor<T>& squares,
                    const AdamWStep& step) {
    shapes::same_layout("adamw", value, gradient);
    shapes::same_layout("adamw", value, mean);
    shapes::same_layout("adamw", value, squares);
    if (step.step < 1) {
      throw_argument_error("[adamw] steps count from 1, got step " + std::to_string(step.step));
    }
    const double correction1 = 1 - std::pow(step.beta1, static_cast<double>(step.step));
    const double correction2 = 1 - std::pow(step.beta2, static_cast<double>(step.step));
    const AdamWArgs<T> args{{value.elements()},
                            value.data(),
                            gradient.data(),
                            mean.data(),
                            squares.data(),
                            static_cast<T>(step.beta1),
                            static_cast<T>(1 - step.beta1),
                            static_cast<T>(step.beta2),
                            static_cast<T>(1 - step.beta2),
                            static_cast<T>(1 - step.lr * step.weight_decay),
                            static_cast<T>(step.lr / correction1),
                            static_cast<T>(1 / std::sqrt(correction2)),
                            static_cast<T>(step.eps)};
    run(gradient_kernels<T>(value.device().isa()).adamw, args, value.device());
  }

  static void adamw(std::span<AdamWUpdate<Tensor<T>>> updates, double factor) {
    for (auto& [value, gradient, mean, squares, step] : updates) {
      adamw(value, times(gradient, factor), mean, squares, step);
    }
  }

  /// One step of torch.optim.SGD; without momentum the buffer is left alone and may be empty.
  static void sgd(Tensor<T>& value, const Tensor<T>& gradient, Tensor<T>& momentum_buffer,
                  const SgdStep& step) {
    shapes::same_layout("sgd", value, gradient);
    const bool kept = step.momentum != 0;
    if (kept) shapes::same_layout("sgd", value, momentum_buffer);
    const SgdArgs<T> args{{value.elements()},
                          value.data(),
                          gradient.data(),
                          kept ? momentum_buffer.data() : nullptr,
                          static_cast<T>(step.first ? 0 : step.momentum),
                          static_cast<T>(step.weight_decay),
                          static_cast<T>(step.lr)};
    run(gradient_kernels<T>(value.device().isa()).sgd, args, value.device());
  }

  static void sgd(std::span<SgdUpdate<Tensor<T>>> updates, double factor) {
    for (auto& [value, gradient, momentum_buffer, step] : updates) {
      sgd(value, times(gradient, factor), momentum_buffer, step);
    }
  }

  /// average = decay * average + (1 - decay) * x.
  static void average_to(Tensor<T>& average, const Tensor<T>& x, double decay) {
    shapes::same_layout("average_to", average, x);
    const AverageArgs<T> args{
        {x.elements()}, average.data(), x.data(), static_cast<T>(decay), static_cast<T>(1 - decay)};
    run(gradient_kernels<T>(x.device().isa()).average_to, args, x.device());
  }

  static void average_to(std::span<AverageUpdate<Tensor<T>>> updates, double decay) {
    for (auto& [average, x] : updates) average_to(average, x, decay);
  }

 private:
  static Tensor<T> times(const Tensor<T>& gradient, double factor) {
    if (factor == 1.0) return gradient;
    return PointwiseGradientOps<T>::scaled(gradient, static_cast<float>(factor));
  }

  template <class Args>
  static void run(void (*kernel)(const Args&, std::int64_t, std::int64_t), const Args& args,
                  const Device& device) {
    device.parallel_for(args.tasks(), [&](auto begin, auto end) { kernel(args, begin, end); });
  }
};

}  // namespace dformer::cpu
