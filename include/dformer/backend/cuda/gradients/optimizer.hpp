#pragma once

#include <cmath>
#include <cstdint>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <dformer/backend/cuda/elements.hpp>
#include <dformer/backend/cuda/gradients/uploaded_args.hpp>
#include <dformer/backend/cuda/kernels/gradients/optimizer.hpp>
#include <dformer/backend/cuda/storage.hpp>
#include <dformer/backend/cuda/tensor.hpp>
#include <dformer/backend/cuda/weight_order.hpp>
#include <dformer/backend/gradient_shapes.hpp>
#include <dformer/backend/gradients.hpp>
#include <dformer/core/error.hpp>

namespace dformer::cuda {

/// Steps of optimisers. They are made in float32: on parameters that have it, and on the masters of those
/// that are half or bfloat16 (DeviceOptions::master_weights), which get the rounded result in the same pass.
/// Gradients and moments are float32. Throws: ShapeError when operands differ in shape or are not float32;
/// ArgumentError for a weight without a master, and for operands of two devices.
template <class T>
struct OptimizerOps {
  /// Zeros of x's shape, in float32.
  static Tensor<T> zeros_like(const Tensor<T>& x) {
    Tensor<T> zeros(x.device(), x.shape(), Elements::full);
    fill_with_zeros(zeros);
    return zeros;
  }

  /// The same with values in PyTorch's order.
  static Tensor<T> moment_from_host(const Device& device, WeightLayout layout, const Shape& shape,
                                    std::span<const float> values) {
    if (layout == WeightLayout::plain) {
      return StorageOps<T>::weight_from_host(device, layout, shape, values);
    }
    shapes::weight(layout, shape);
    return StorageOps<T>::weight_from_host(device, WeightLayout::plain, shape,
                                           WeightOrder::of(layout, shape).to_device(values));
  }

  /// Of all elements of all tensors, in double, whatever T is. Waits for it.
  static double sum_of_squares(std::span<const Tensor<T>> tensors) {
    if (tensors.empty()) return 0.0;
    for (const Tensor<T>& x : tensors) require_same_elements("sum_of_squares", tensors[0], x);
    require_one_device("sum_of_squares", tensors);
    double sum = 0;
    with_elements(
        [&]<class E>(const E*) {
          std::vector<SquaresArgs<E>> squares;
          for (const Tensor<T>& x : tensors) {
            squares.push_back({static_cast<const E*>(x.memory()), x.elements()});
          }
          const Device& device = tensors[0].device();
          const UploadedArgs<SquaresArgs<E>> list(device, std::move(squares));
          Tensor<std::uint8_t> memory(device, Shape{list.chunks() + 1, std::int64_t{sizeof(double)}});
          auto* const result = static_cast<double*>(memory.memory());
          cuda::sum_of_squares(list.list(), result + 1, result, device.stream());
          device.staging().download(&sum, result, sizeof(sum), device.stream());
        },
        tensors[0]);
    return sum;
  }
  static double sum_of_squares(const Tensor<T>& x) { return sum_of_squares(std::span(&x, 1)); }

  /// One step of torch.optim.AdamW; `mean` and `squares` are its exp_avg and exp_avg_sq, zeros before the
  /// first. Throws: also ArgumentError when a step's number is below 1.
  static void adamw(std::span<AdamWUpdate<Tensor<T>>> updates, double factor) {
    if (updates.empty()) return;
    start(&cuda::adamw<T>, updates[0].value.device(), updates, [&](AdamWUpdate<Tensor<T>>& update) {
      auto& [value, gradient, mean, squares, step] = update;
      require_operand("adamw", value, gradient);
      require_operand("adamw", value, mean);
      require_operand("adamw", value, squares);
      require_one_device("adamw", updates[0].value, value, gradient, mean, squares);
      if (step.step < 1) {
        throw_argument_error("[adamw] steps count from 1, got step " + std::to_string(step.step));
      }
      const double correction1 = 1 - std::pow(step.beta1, static_cast<double>(step.step));
      const double correction2 = 1 - std::pow(step.beta2, static_cast<double>(step.step));
      return AdamWArgs<T>{target("adamw", value),
                          gradient.full_data(),
                          mean.full_data(),
                          squares.full_data(),
                          static_cast<float>(factor),
                          static_cast<float>(step.beta1),
                          static_cast<float>(1 - step.beta1),
                          static_cast<float>(step.beta2),
                          static_cast<float>(1 - step.beta2),
                          static_cast<float>(1 - step.lr * step.weight_decay),
                          static_cast<float>(step.lr / correction1),
                          static_cast<float>(1 / std::sqrt(correction2)),
                          static_cast<float>(step.eps)};
    });
  }
  static void adamw(Tensor<T>& value, const Tensor<T>& gradient, Tensor<T>& mean, Tensor<T>& squares,
                    const AdamWStep& step) {
    AdamWUpdate<Tensor<T>> update{value, gradient, mean, squares, step};
    adamw(std::span(&update, 1), 1.0);
  }

  /// One step of torch.optim.SGD; without momentum the buffer is left alone and may be empty.
  static void sgd(std::span<SgdUpdate<Tensor<T>>> updates, double factor) {
    if (updates.empty()) return;
    start(&cuda::sgd<T>, updates[0].value.device(), updates, [&](SgdUpdate<Tensor<T>>& update) {
      auto& [value, gradient, momentum_buffer, step] = update;
      require_operand("sgd", value, gradient);
      const bool kept = step.momentum != 0;
      if (kept) require_operand("sgd", value, momentum_buffer);
      require_one_device("sgd", updates[0].value, value, gradient, kept ? momentum_buffer : value);
      return SgdArgs<T>{target("sgd", value),
                        gradient.full_data(),
                        kept ? momentum_buffer.full_data() : nullptr,
                        static_cast<float>(factor),
                        static_cast<float>(step.first ? 0 : step.momentum),
                        static_cast<float>(step.weight_decay),
                        static_cast<float>(step.lr)};
    });
  }
  static void sgd(Tensor<T>& value, const Tensor<T>& gradient, Tensor<T>& momentum_buffer,
                  const SgdStep& step) {
    SgdUpdate<Tensor<T>> update{value, gradient, momentum_buffer, step};
    sgd(std::span(&update, 1), 1.0);
  }

  /// average = decay * average + (1 - decay) * x, of parameters: of the masters where they have some.
  static void average_to(std::span<AverageUpdate<Tensor<T>>> updates, double decay) {
    if (updates.empty()) return;
    start(&cuda::average_to<T>, updates[0].average.device(), updates, [&](AverageUpdate<Tensor<T>>& update) {
      auto& [average, x] = update;
      shapes::same("average_to", average.shape(), x.shape());
      require_one_device("average_to", updates[0].average, average, x);
      return AverageArgs<T>{target("average_to", average), target("average_to", x).value,
                            static_cast<float>(decay), static_cast<float>(1 - decay)};
    });
  }
  static void average_to(Tensor<T>& average, const Tensor<T>& x, double decay) {
    AverageUpdate<Tensor<T>> update{average, x};
    average_to(std::span(&update, 1), decay);
  }

 private:
  /// One kernel for all updates, with what `args_of` makes of each.
  template <class Args, class Update, class ArgsOf>
  static void start(void (*launcher)(const ArgsList<Args>&, Stream), const Device& device,
                    std::span<Update> updates, const ArgsOf& args_of) {
    std::vector<Args> args;
    args.reserve(updates.size());
    for (Update& update : updates) args.push_back(args_of(update));
    const UploadedArgs<Args> uploaded(device, std::move(args));
    launcher(uploaded.list(), device.stream());
  }

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
