#pragma once

#include <cstdint>

namespace dformer {

/// How a parameter is used, from which a backend chooses the order in which it keeps the elements.
/// Checkpoints always have PyTorch's order; it is converted once, when a value is set, and back when it is
/// saved.
enum class WeightLayout : std::uint8_t {
  plain,      ///< as in the checkpoint: norms, biases, layer scales, buffers
  dense,      ///< linear [O, I] or convolution [O, I, kh, kw]: the right-hand side of a matrix product
  depthwise,  ///< [C, 1, kh, kw]: one filter a channel
};

}  // namespace dformer
