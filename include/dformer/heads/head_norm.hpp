#pragma once

namespace dformer {

/// Every normalisation of a decode head of the official code has this epsilon; those of backbones have
/// BatchNorm2d's.
inline constexpr float head_norm_eps = 1e-3f;

}  // namespace dformer
