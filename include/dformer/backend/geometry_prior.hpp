#pragma once

#include <cstdint>

namespace dformer {

/// The geometry prior of DFormerv2 (paper section 3.1), described rather than materialised: attention scores
/// between tokens i and j of head h get the additive term
///
///     decay[h] * (weight[0] * |position(i) - position(j)| + weight[1] * |depth(i) - depth(j)|)
///
/// where the distance of positions is Manhattan's on the token grid. Shapes: depth [N, H, W, 1], already at
/// the size of the token grid; weight [2, 1, 1, 1]; decay [num_heads].
template <class Tensor>
struct GeometryPrior {
  Tensor depth{};
  Tensor weight{};
  Tensor decay{};
};

/// `decomposed`: along each row, then along each column of the grid. `full`: over all tokens at once.
enum class GeometryAttention : std::uint8_t { decomposed, full };

}  // namespace dformer
