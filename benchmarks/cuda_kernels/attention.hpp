#pragma once

// Attention of both generations, the factorization of the decode head, and their gradients.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "bench.hpp"
#include <dformer/backend/count/count.hpp>
#include <dformer/backend/cuda/attention.hpp>
#include <dformer/backend/cuda/geometry_attention.hpp>
#include <dformer/backend/cuda/gradients/attention.hpp>
#include <dformer/backend/cuda/gradients/geometry_attention.hpp>
#include <dformer/backend/cuda/gradients/nmf.hpp>
#include <dformer/backend/cuda/nmf.hpp>
#include <dformer/backend/cuda/pointwise.hpp>

namespace dformer::benchmarks {

/// Scores are made of rounded factors with float32 sums, and may round their softmax: work of tensor cores.
/// The gradient makes five products where attention makes two.
inline constexpr double gradient_products = 2.5;

/// Queries of a 7 x 7 average pool to the pixels of a stage, on half its channels.
template <class T>
void measure_pooled_attention(Bench<T>& bench, const StageSize& stage, bool gradient) {
  const std::int64_t n = stage.x[0], keys = stage.x[1] * stage.x[2], channels = stage.x[3] / 2;
  const int heads = stage.heads;
  const Shape q_shape{n, 49, channels}, kv_shape{n, keys, 2 * channels};
  const double queries = static_cast<double>(q_shape.numel()), both = static_cast<double>(kv_shape.numel());
  const float scale = 1.0f / std::sqrt(static_cast<float>(channels / heads));
  Work work{.bytes = Bench<T>::bytes(2 * queries + both),
            .multiply_adds = 2 * queries * static_cast<double>(keys),
            .unit = Unit::tensor_cores};
  if (!gradient) {
    bench.measure("pooled attention", stage.x, work, [&] {
      const auto q = bench.noise(q_shape), kv = bench.noise(kv_shape);
      return [=] { return cuda::AttentionOps<T>::attention(q, kv, heads, scale); };
    });
    return;
  }
  work.bytes = Bench<T>::bytes(3 * queries + 2 * both);
  work.multiply_adds *= gradient_products;
  bench.measure("pooled attention gradient", stage.x, work, [&] {
    const auto q = bench.noise(q_shape), kv = bench.noise(kv_shape), dy = bench.noise(q_shape);
    return [=] { return cuda::AttentionGradientOps<T>::attention(q, kv, heads, scale, dy); };
  });
}

template <class T>
void measure_geometry_attention(Bench<T>& bench, const StageSize& stage, GeometryAttention kind,
                                bool gradient) {
  const Shape& shape = stage.x;
  const int heads = stage.heads;
  const bool full = kind == GeometryAttention::full;
  const auto elements = static_cast<double>(shape.numel());
  const auto reach = static_cast<double>(full ? shape[1] * shape[2] : shape[1] + shape[2]);
  Work work{.bytes = Bench<T>::bytes(4 * elements),
            .multiply_adds = 2 * elements * reach,
            .unit = Unit::tensor_cores};
  const auto prior = [&]() -> GeometryPrior<cuda::Tensor<T>> {
    return {bench.noise(shape.with_back(1)), bench.full({2, 1, 1, 1}), bench.channels(heads)};
  };
  const std::string name = full ? "geometry attention, full" : "geometry attention, lines";
  if (!gradient) {
    bench.measure(name, shape, work, [&] {
      const auto q = bench.noise(shape), k = bench.noise(shape), v = bench.noise(shape);
      return [=, prior = prior()] {
        return cuda::GeometryAttentionOps<T>::geometry_attention(q, k, v, prior, heads, kind);
      };
    });
    return;
  }
  work.bytes = Bench<T>::bytes(7 * elements);
  work.multiply_adds *= gradient_products;
  bench.measure(name + ", gradient", shape, work, [&] {
    const auto q = bench.noise(shape), k = bench.noise(shape), v = bench.noise(shape),
               dy = bench.noise(shape);
    return [=, prior = prior()] {
      return cuda::GeometryGradientOps<T>::geometry_attention(q, k, v, prior, heads, kind, dy);
    };
  });
}

/// The whole factorization: the start, all steps, the product. Its factors are float32, or TF32 beside an x
/// of 16 bits.
template <class T>
void measure_nmf(Bench<T>& bench, bool gradient) {
  constexpr std::int64_t channels = 512, rank = 64;
  const Shape map = bench.sizes.head(channels);
  const Shape shape{map[0], map[1] * map[2], channels}, bases_shape{1, channels, rank};
  const int steps = gradient ? 6 : 7;
  count::Tally tally;
  const count::Device counting(tally);
  Count::nmf({counting, shape}, {counting, bases_shape}, steps, 1.0f);
  const auto multiply_adds = static_cast<double>(tally.multiply_adds.total());
  const auto elements = static_cast<double>(shape.numel());
  constexpr Unit unit = std::is_same_v<T, float> ? Unit::float32 : Unit::tf32;
  const auto positive = [](const cuda::Tensor<T>& x) {
    return cuda::PointwiseOps<T>::activate(x, Activation::relu);
  };
  if (!gradient) {
    bench.measure("nmf, 7 steps", shape, {Bench<T>::bytes(2 * elements), multiply_adds, unit}, [&] {
      const auto x = positive(bench.noise(shape)), bases = positive(bench.full(bases_shape));
      return [=] { return cuda::FactorizationOps<T>::nmf(x, bases, steps, 1.0f); };
    });
    return;
  }
  // The steps once more, and two products for each of theirs.
  bench.measure("nmf gradient, 6 steps", shape, {Bench<T>::bytes(3 * elements), 3 * multiply_adds, unit},
                [&] {
                  const auto x = positive(bench.noise(shape)), dy = bench.noise(shape),
                             bases = positive(bench.full(bases_shape));
                  return [=] { return cuda::FactorizationGradientOps<T>::nmf(x, bases, steps, 1.0f, dy); };
                });
}

template <class T>
void measure_attention(Bench<T>& bench, bool gradients) {
  for (const std::size_t i : {1u, 2u, 3u}) measure_pooled_attention(bench, bench.sizes.v1[i], gradients);
  for (std::size_t i = 0; i < 4; ++i) {
    const auto kind = i == 3 ? GeometryAttention::full : GeometryAttention::decomposed;
    measure_geometry_attention(bench, bench.sizes.v2[i], kind, gradients);
  }
  measure_nmf(bench, gradients);
}

template <class T>
void measure_rotary(Bench<T>& bench) {
  for (const StageSize& stage : bench.sizes.v2) {
    const int heads = stage.heads;
    bench.measure("rotary", stage.x, {Bench<T>::bytes(2.0 * static_cast<double>(stage.x.numel()))}, [&] {
      const auto x = bench.noise(stage.x), angle = bench.channels(stage.x[3] / heads);
      return [=] { return cuda::AttentionOps<T>::rotary(x, angle, heads, 1.0f); };
    });
  }
}

}  // namespace dformer::benchmarks
