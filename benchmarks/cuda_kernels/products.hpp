#pragma once

// Linear layers with what is fused into them, at sizes at which the backend's own kernel makes them in 16
// bits, and cuBLASLt the large ones into an MLP. Weights are counted, which at batch 1 are a good part of the
// bytes.

#include <cstdint>
#include <string>
#include <vector>

#include "bench.hpp"
#include <dformer/backend/cuda/linear.hpp>

namespace dformer::benchmarks {

/// Of inputs of so many channels each, side by side, to `columns`; `read` more tensors of the result's shape
/// are operands of the epilogue.
template <class T>
Work linear_work(const Shape& x, const std::vector<std::int64_t>& channels, std::int64_t columns, int read) {
  double depth = 0;
  for (const std::int64_t count : channels) depth += static_cast<double>(count);
  const auto rows = static_cast<double>(x.rows()), outputs = static_cast<double>(columns);
  return {.bytes = Bench<T>::bytes(rows * (depth + outputs * (1 + read)) + depth * outputs),
          .multiply_adds = rows * depth * outputs,
          .unit = product_unit<T>};
}

/// With a bias.
template <class T>
void measure_linear(Bench<T>& bench, const std::string& name, const Shape& x,
                    const std::vector<std::int64_t>& channels, std::int64_t columns,
                    Activation activation = Activation::none, bool residual = false) {
  const Shape shape = x.with_back(columns);
  bench.measure(name, shape, linear_work<T>(x, channels, columns, residual ? 1 : 0), [&] {
    std::int64_t depth = 0;
    std::vector<cuda::Tensor<T>> inputs;
    for (const std::int64_t count : channels) {
      inputs.push_back(bench.noise(x.with_back(count)));
      depth += count;
    }
    Epilogue<cuda::Tensor<T>> epilogue{.shift = bench.channels(columns), .activation = activation};
    if (residual) {
      epilogue.layer_scale = bench.channels(columns);
      epilogue.residual = bench.noise(shape);
    }
    return [inputs, weight = bench.noise({columns, depth}), epilogue] {
      return cuda::LinearOps<T>::linear(inputs, weight, epilogue);
    };
  });
}

template <class T>
void measure_products(Bench<T>& bench) {
  for (const StageSize& stage : bench.sizes.v1) {
    measure_linear(bench, "linear, gelu", stage.x, {stage.x[3]}, stage.x[3], Activation::gelu);
  }
  for (const StageSize& stage : bench.sizes.v1) {
    const std::int64_t half = stage.x[3] / 2;
    if (stage.x[3] + 2 * half > 640) continue;  // cuBLASLt's
    measure_linear(bench, "linear of 3 inputs + residual", stage.x, {stage.x[3], half, half}, stage.x[3],
                   Activation::none, true);
  }
  for (const std::size_t i : {0u, 1u, 2u}) {
    const StageSize& stage = bench.sizes.v1[i];
    measure_linear(bench, "linear into an MLP", stage.x, {stage.x[3]}, stage.hidden);
  }
}

}  // namespace dformer::benchmarks
