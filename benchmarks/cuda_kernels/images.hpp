#pragma once

// Pooling, resizing and labels, and their gradients.

#include <array>
#include <cstddef>
#include <cstdint>

#include "bench.hpp"
#include <dformer/backend/cuda/gradients/resample.hpp>
#include <dformer/backend/cuda/resample.hpp>

namespace dformer::benchmarks {

template <class T>
Work from_to(const Shape& x, const Shape& y) {
  return {.bytes = Bench<T>::bytes(static_cast<double>(x.numel() + y.numel()))};
}

inline Shape resized(const Shape& x, std::int64_t height, std::int64_t width) {
  return {x[0], height, width, x[3]};
}

template <class T>
void measure_resize(Bench<T>& bench, const Shape& shape, std::int64_t height, std::int64_t width) {
  bench.measure("bilinear resize", shape, from_to<T>(shape, resized(shape, height, width)), [&] {
    return [=, x = bench.noise(shape)] {
      return cuda::ResampleOps<T>::resize_bilinear(x, height, width, false);
    };
  });
}

template <class T>
void measure_images(Bench<T>& bench) {
  const Sizes& sizes = bench.sizes;
  for (const std::size_t i : {1u, 2u, 3u}) {
    const Shape& shape = sizes.v1[i].x;
    const Shape both = shape.with_back(shape[3] + shape[3] / 2);
    bench.measure("average pool to 7", both, from_to<T>(both, resized(both, 7, 7)), [&] {
      return [streams = std::array{bench.noise(shape), bench.noise(sizes.v1[i].depth())}] {
        return cuda::ResampleOps<T>::adaptive_avg_pool(streams, 7, 7);
      };
    });
  }
  for (const std::size_t i : {1u, 2u, 3u}) {
    const Shape& shape = sizes.v1[i].x;
    measure_resize(bench, resized(sizes.v1[i].depth(), 7, 7), shape[1], shape[2]);
  }
  for (const std::size_t i : {2u, 3u})
    measure_resize(bench, sizes.v1[i].x, sizes.head(1)[1], sizes.head(1)[2]);
  const ImageBatch& image = sizes.image;
  measure_resize(bench, {image.batch, image.height, image.width, 1}, sizes.v2[0].x[1], sizes.v2[0].x[2]);

  const Shape logits = sizes.head(40);
  const double pixels = static_cast<double>(image.batch * image.height * image.width);
  // At least one multiply-add for each class of each pixel.
  bench.measure("resize and argmax", logits,
                {Bench<T>::bytes(static_cast<double>(logits.numel())) + pixels, 40 * pixels}, [&] {
                  return [=, x = bench.noise(logits)] {
                    return cuda::ResampleOps<T>::resize_argmax(x, image.height, image.width);
                  };
                });
}

template <class T>
void measure_image_gradients(Bench<T>& bench) {
  using Gradients = cuda::ResampleGradientOps<T>;
  for (const std::size_t i : {1u, 2u, 3u}) {
    const Shape& stage = bench.sizes.v1[i].x;
    const Shape shape = bench.sizes.v1[i].depth(), pooled = resized(shape, 7, 7);
    bench.measure("bilinear resize gradient", shape, from_to<T>(shape, pooled), [&] {
      return [dy = bench.noise(shape)] { return Gradients::resize_bilinear(dy, 7, 7, false); };
    });
    bench.measure("average pool gradient", shape, from_to<T>(shape, pooled), [&] {
      return
          [stage, dy = bench.noise(pooled)] { return Gradients::adaptive_avg_pool(dy, stage[1], stage[2]); };
    });
  }
}

}  // namespace dformer::benchmarks
