#pragma once

// Depthwise convolutions with what is fused into them, and their gradients.

#include <cstdint>
#include <string>

#include "bench.hpp"
#include <dformer/backend/cuda/depthwise_conv2d.hpp>
#include <dformer/backend/cuda/gradients/depthwise_conv2d.hpp>

namespace dformer::benchmarks {

inline Window centred(int kernel) {
  return {.kernel = kernel, .padding = kernel / 2};
}

/// Tensor cores can do it, if seven of eight of their multiply-adds are with zero, which are not counted.
template <class T>
Work depthwise_work(double bytes, const Shape& shape, int kernel) {
  return {.bytes = bytes,
          .multiply_adds = static_cast<double>(shape.numel()) * kernel * kernel,
          .unit = product_unit<T>};
}

/// `Residual`: what the result is added to.
enum class Residual : std::uint8_t { none, input, other };

template <class T>
void measure_depthwise(Bench<T>& bench, const std::string& name, const Shape& shape, int kernel,
                       Residual residual, Activation final_activation = Activation::none) {
  const double tensors = residual == Residual::other ? 3 : 2;
  const auto bytes = Bench<T>::bytes(tensors * static_cast<double>(shape.numel()));
  bench.measure(name, shape, depthwise_work<T>(bytes, shape, kernel), [&] {
    const auto x = bench.noise(shape), weight = bench.noise({shape[3], 1, kernel, kernel});
    Epilogue<cuda::Tensor<T>> epilogue{.shift = bench.channels(shape[3]),
                                       .final_activation = final_activation};
    if (residual == Residual::input) epilogue.residual = x;
    if (residual == Residual::other) epilogue.residual = bench.noise(shape);
    return [=] { return cuda::DepthwiseOps<T>::depthwise_conv2d(x, weight, centred(kernel), epilogue); };
  });
}

template <class T>
void measure_convolutions(Bench<T>& bench) {
  for (const StageSize& stage : bench.sizes.v1) {
    measure_depthwise(bench, "depthwise 7", stage.x, 7, Residual::none);
  }
  for (const StageSize& stage : bench.sizes.v1) {
    measure_depthwise(bench, "depthwise 3 + x, gelu", stage.mlp(), 3, Residual::input, Activation::gelu);
  }
  for (const StageSize& stage : bench.sizes.v2) {
    measure_depthwise(bench, "depthwise 5 + residual", stage.x, 5, Residual::other);
  }
}

template <class T>
void measure_depthwise_gradients(Bench<T>& bench, const Shape& shape, int kernel) {
  using Gradients = cuda::DepthwiseGradientOps<T>;
  const std::string name = "depthwise " + std::to_string(kernel);
  const Shape filters{shape[3], 1, kernel, kernel};
  const Work work =
      depthwise_work<T>(Bench<T>::bytes(2.0 * static_cast<double>(shape.numel())), shape, kernel);
  bench.measure(name + " gradient of x", shape, work, [&] {
    const auto dy = bench.noise(shape), weight = bench.noise(filters);
    return [=] { return Gradients::depthwise_conv2d_input(dy, weight, centred(kernel), shape); };
  });
  bench.measure(name + " gradient of weight", shape, work, [&] {
    const auto x = bench.noise(shape), dy = bench.noise(shape);
    return [=] { return Gradients::depthwise_conv2d_weight(x, dy, centred(kernel), filters); };
  });
}

template <class T>
void measure_convolution_gradients(Bench<T>& bench) {
  for (const StageSize& stage : bench.sizes.v1) measure_depthwise_gradients(bench, stage.x, 7);
  for (const StageSize& stage : bench.sizes.v1) measure_depthwise_gradients(bench, stage.mlp(), 3);
}

}  // namespace dformer::benchmarks
