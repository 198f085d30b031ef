#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <dformer/core/fill.hpp>
#include <dformer/data/train_batch.hpp>

namespace dformer::benchmarks {

/// Images of noise with labels of 40 classes, as large as those of NYUDepthv2.
inline TrainBatch random_batch(int count) {
  constexpr int height = 480, width = 640;
  const NamedStream stream("batch");
  const auto pixels = static_cast<std::size_t>(count) * height * width;
  TrainBatch batch{count,
                   height,
                   width,
                   std::vector<float>(pixels * 3),
                   std::vector<float>(pixels),
                   std::vector<std::uint8_t>(pixels)};
  for (std::size_t i = 0; i < batch.color.size(); ++i) batch.color[i] = 4 * stream.uniform(i) - 2;
  for (std::size_t i = 0; i < pixels; ++i) {
    batch.depth[i] = 2 * stream.uniform(2 * i) - 1;
    batch.labels[i] = static_cast<std::uint8_t>(40 * stream.uniform(2 * i + 1));
  }
  return batch;
}

}  // namespace dformer::benchmarks
