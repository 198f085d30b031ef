#pragma once

namespace dformer {

/// Every normalisation of a decode head of DFormer's official code has this epsilon; those of backbones, and
/// of AsymFormer's head, have BatchNorm2d's.
inline constexpr float head_norm_eps = 1e-3f;

}  // namespace dformer
