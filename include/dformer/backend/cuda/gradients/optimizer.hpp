#pragma once

#include <cmath>
#include <cstdint>
#include <string>
#include <type_traits>

#include <dformer/backend/cuda/elements.hpp>
#include <dformer/backend/cuda/kernels/gradients/optimizer.hpp>
#include <dformer/backend/cuda/tensor.hpp>
#include <dformer/backend/gradient_shapes.hpp>
#include <dformer/backend/gradients.hpp>
#include <dformer/core/error.hpp>

namespace dformer::cuda {

/// Steps of optimisers. They are made in float32: on parameters that have it, and on the masters of those
/// that are half or bfloat16 (DeviceOptions::master_weights), which get the rounded result in the same pass.
/// Gradients and moments are float32. Throws: ShapeError when operands differ in shape or are not float32;
/// ArgumentError for a weight without a master.
template <class T>
struct OptimizerOps {
  /// Zeros of x's shape, in float32.
  static Tensor<T> zeros_like(const Tensor<T>& x) {
    Tensor<T> zeros(x.device(), x.shape(), Elements::full);
    const auto bytes = static_cast<std::size_t>(zeros.elements()) * sizeof(float);
    if (bytes > 0) runtime::fill_with_zeros(zeros.memory(), bytes, x.device().stream());
    return zeros;
  }

  /// In double, whatever T is. Waits for it.
  static double sum_of_squares(const Tensor<T>& x) {
    constexpr std::int64_t blocks = SumOfSquaresArgs<T>::most_blocks;
    Tensor<std::uint8_t> memory(x.device(), Shape{blocks + 1, std::int64_t{sizeof(double)}});
    auto* const sums = static_cast<double*>(memory.memory());
    with_elements(
        [&]<class E>(const E* from) {
          cuda::sum_of_squares(SumOfSquaresArgs<E>{from, x.elements(), sums, sums + blocks},
                               x.device().stream());
        },
        x);
    double sum = 0;
    x.device().staging().download(&sum, sums + blocks, sizeof(sum), x.device().stream());
    return sum;
  }

  /// One step of torch.optim.AdamW; `mean` and `squares` are its exp_avg and exp_avg_sq, zeros before the
  /// first. Throws: also ArgumentError when the step's number is below 1.
  static void adamw(Tensor<T>& value, const Tensor<T>& gradient, Tensor<T>& mean, Tensor<T>& squares,
                    const AdamWStep& step) {
    require_operand("adamw", value, gradient);
    require_operand("adamw", value, mean);
    require_operand("adamw", value, squares);
    if (step.step < 1) {
      throw_argument_error("[adamw] steps count from 1, got step " + std::to_string(step.step));
    }
    const double correction1 = 1 - std::pow(step.beta1, static_cast<double>(step.step));
    const double correction2 = 1 - std::pow(step.beta2, static_cast<double>(step.step));
    cuda::adamw(
        AdamWArgs<T>{target("adamw", value), gradient.full_data(), mean.full_data(), squares.full_data(),
                     static_cast<float>(step.beta1), static_cast<float>(1 - step.beta1),
                     static_cast<float>(step.beta2), static_cast<float>(1 - step.beta2),
                     static_cast<float>(1 - step.lr * step.weight_decay),
                     static_cast<float>(step.lr / correction1),
                     static_cast<float>(1 / std::sqrt(correction2)), static_cast<float>(step.eps)},
        value.device().stream());
  }

  /// One step of torch.optim.SGD; without momentum the buffer is left alone and may be empty.
  static void sgd(Tensor<T>& value, const Tensor<T>& gradient, Tensor<T>& momentum_buffer,
                  const SgdStep& step) {
    require_operand("sgd", value, gradient);
    const bool kept = step.momentum != 0;
    if (kept) require_operand("sgd", value, momentum_buffer);
    cuda::sgd(
        SgdArgs<T>{target("sgd", value), gradient.full_data(), kept ? momentum_buffer.full_data() : nullptr,
                   static_cast<float>(step.first ? 0 : step.momentum), static_cast<float>(step.weight_decay),
                   static_cast<float>(step.lr)},
        value.device().stream());
  }

  /// average = decay * average + (1 - decay) * x, of parameters: of the masters where they have some.
  static void average_to(Tensor<T>& average, const Tensor<T>& x, double decay) {
    shapes::same("average_to", average.shape(), x.shape());
    Tensor<T> from = x;
    cuda::average_to(AverageArgs<T>{target("average_to", average), target("average_to", from).value,
                                    static_cast<float>(decay), static_cast<float>(1 - decay)},
                     average.device().stream());
  }

 private:
  static void require_operand(const char* op, const Tensor<T>& value, const Tensor<T>& operand) {
    shapes::same(op, value.shape(), operand.shape());
    require_full(op, operand);
  }

  static StepTarget<T> target(const char* op, Tensor<T>& value) {
    const std::int64_t count = value.elements();
    if constexpr (std::is_same_v<T, float>) {
      return {value.data(), nullptr, count};
    } else {
      if (value.is_full()) return {value.full_data(), nullptr, count};
      if (value.master() == nullptr) {
        throw_argument_error(
            std::string("[") + op + "] a 16-bit weight " + to_string(value.shape()) +
            " has no float32 copy for optimisers to change; make the device that the network "
            "is on with {.master_weights = true}");
      }
      return {value.master()->data(), value.data(), count};
    }
  }
};

}  // namespace dformer::cuda
