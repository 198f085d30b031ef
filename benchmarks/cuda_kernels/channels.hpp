#pragma once

// What goes through memory once, channel by channel: normalisations, epilogues of products, concatenation.

#include <array>
#include <cstdint>
#include <vector>

#include "bench.hpp"
#include <dformer/backend/cuda/epilogue.hpp>
#include <dformer/backend/cuda/gradients/norm.hpp>
#include <dformer/backend/cuda/gradients/pointwise.hpp>
#include <dformer/backend/cuda/norm.hpp>
#include <dformer/backend/cuda/pointwise.hpp>

namespace dformer::benchmarks {

/// Of an operation that moves so many tensors of a shape.
template <class T>
Work tensors_moved(double tensors, const Shape& shape) {
  return {.bytes = Bench<T>::bytes(tensors * static_cast<double>(shape.numel()))};
}

/// The epilogue of a product, which is done where the product left its sums.
template <class T>
void measure_epilogue(Bench<T>& bench, const char* name, double tensors, const Shape& shape,
                      const Epilogue<cuda::Tensor<T>>& epilogue, bool residual) {
  bench.measure(name, shape, tensors_moved<T>(tensors, shape), [&] {
    auto used = epilogue;
    if (residual) used.residual = bench.noise(shape);
    return [y = bench.noise(shape), used]() mutable {
      cuda::finish(y, cuda::epilogue_operands("epilogue", y, y.shape(), used));
      return y;
    };
  });
}

template <class T>
void measure_concat(Bench<T>& bench, const Shape& rows, const std::vector<std::int64_t>& channels) {
  std::int64_t sum = 0;
  for (const std::int64_t count : channels) sum += count;
  const Shape shape = rows.with_back(sum);
  bench.measure("concatenation", shape, tensors_moved<T>(2, shape), [&] {
    std::vector<cuda::Tensor<T>> inputs;
    for (const std::int64_t count : channels) inputs.push_back(bench.noise(rows.with_back(count)));
    return [=] { return cuda::PointwiseOps<T>::concat(inputs); };
  });
}

template <class T>
void measure_channels(Bench<T>& bench) {
  for (const auto& stages : {bench.sizes.v1, bench.sizes.v2}) {
    for (const StageSize& stage : stages) {
      bench.measure("layer norm", stage.x, tensors_moved<T>(2, stage.x), [&] {
        const auto x = bench.noise(stage.x), weight = bench.channels(stage.x[3]);
        return [=] { return cuda::NormOps<T>::layer_norm(x, weight, weight, 1e-6f); };
      });
    }
  }
  for (const std::size_t i : {0u, 1u, 2u}) {  // before the stages that follow
    const Shape& shape = bench.sizes.v1[i].x;
    bench.measure("scale and shift", shape, tensors_moved<T>(2, shape), [&] {
      const auto x = bench.noise(shape), scale = bench.channels(shape[3]);
      return [=] { return cuda::NormOps<T>::scale_shift(x, scale, scale); };
    });
  }
  for (const StageSize& stage : bench.sizes.v1) {
    const auto values = bench.channels(stage.x[3]);
    measure_epilogue<T>(bench, "epilogue bias, scale + residual", 3, stage.x,
                        {.shift = values, .layer_scale = values}, true);
  }
  for (const StageSize& stage : bench.sizes.v2) {
    measure_epilogue<T>(bench, "epilogue bias, gelu", 2, stage.mlp(),
                        {.shift = bench.channels(stage.hidden), .activation = Activation::gelu}, false);
  }
  for (const std::size_t i : {1u, 2u, 3u}) {
    const Shape& shape = bench.sizes.v1[i].x;
    measure_concat(bench, shape, {shape[3], shape[3] / 2, shape[3] / 2});
  }
  measure_concat(bench, bench.sizes.v1[1].x,
                 {bench.sizes.v1[1].x[3], bench.sizes.v1[2].x[3], bench.sizes.v1[3].x[3]});
}

template <class T>
void measure_channel_gradients(Bench<T>& bench) {
  using Norm = cuda::NormGradientOps<T>;
  using Pointwise = cuda::PointwiseGradientOps<T>;
  for (const StageSize& stage : bench.sizes.v1) {
    bench.measure("layer norm gradient", stage.x, tensors_moved<T>(3, stage.x), [&] {
      const auto x = bench.noise(stage.x), dy = bench.noise(stage.x), weight = bench.channels(stage.x[3]);
      return [=] { return Norm::layer_norm(x, weight, dy, 1e-6f); };
    });
  }
  const Shape first = bench.sizes.v1[0].x;
  bench.measure("batch statistics", first, tensors_moved<T>(1, first),
                [&] { return [x = bench.noise(first)] { return Norm::batch_statistics(x); }; });
  bench.measure("batch norm gradient", first, tensors_moved<T>(3, first), [&] {
    const auto x = bench.noise(first), dy = bench.noise(first), values = bench.channels(first[3]);
    return [=] { return Norm::batch_norm(x, values, {values, values}, 1.0f, dy); };
  });
  for (const StageSize& stage : bench.sizes.v1) {
    bench.measure("gelu gradient", stage.mlp(), tensors_moved<T>(3, stage.mlp()), [&] {
      const auto x = bench.noise(stage.mlp()), dy = bench.noise(stage.mlp());
      return [=] { return Pointwise::activation(x, Activation::gelu, dy); };
    });
    bench.measure("channel sums", stage.mlp(), tensors_moved<T>(1, stage.mlp()),
                  [&] { return [dy = bench.noise(stage.mlp())] { return Pointwise::channel_sums(dy); }; });
  }
}

}  // namespace dformer::benchmarks
