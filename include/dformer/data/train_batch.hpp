#pragma once

#include <cstdint>
#include <vector>

namespace dformer {

/// A batch on the host, row-major, channels last.
struct TrainBatch {
  int count = 0;
  int height = 0;
  int width = 0;
  std::vector<float> color;          ///< [N, H, W, 3]
  std::vector<float> depth;          ///< [N, H, W, 1]
  std::vector<std::uint8_t> labels;  ///< [N, H, W]; 255 is ignored
};

}  // namespace dformer
