#pragma once

// The sizes at which the largest published networks meet the kernels.

#include <array>
#include <cstddef>
#include <cstdint>

#include <dformer/core/shape.hpp>
#include <dformer/models/variants.hpp>

namespace dformer::benchmarks {

struct ImageBatch {
  std::int64_t batch;
  std::int64_t height;
  std::int64_t width;
};

/// One stage of a backbone.
struct StageSize {
  Shape x;              ///< [N, H, W, C]
  std::int64_t hidden;  ///< channels within an MLP
  int heads;

  Shape depth() const { return x.with_back(x[3] / 2); }  ///< of DFormer's depth stream
  Shape mlp() const { return x.with_back(hidden); }
};

template <class Config>
std::array<StageSize, 4> stages_of(const Config& config, const ImageBatch& image) {
  std::array<StageSize, 4> stages;
  std::int64_t step = 4;
  for (std::size_t i = 0; i < 4; ++i, step *= 2) {
    const std::int64_t height = (image.height + step - 1) / step, width = (image.width + step - 1) / step;
    stages[i] = {{image.batch, height, width, config.dims[i]},
                 std::int64_t{config.dims[i]} * config.mlp_ratios[i],
                 config.num_heads[i]};
  }
  return stages;
}

struct Sizes {
  ImageBatch image;
  std::array<StageSize, 4> v1 = stages_of(dformer_large, image);
  std::array<StageSize, 4> v2 = stages_of(dformer_v2_large, image);

  /// Of the decode head: maps of stage 1's size.
  Shape head(std::int64_t channels) const { return v1[1].x.with_back(channels); }
};

}  // namespace dformer::benchmarks
