#pragma once

#include <dformer/models/variants.hpp>

/// A network that takes a training step in milliseconds.
namespace dformer::testing {

inline constexpr DFormerConfig small_config{.dims = {8, 16, 32, 64}, .depths = {1, 1, 1, 2}};
inline constexpr int small_classes = 5;

template <class B>
using SmallNetwork =
    Segmenter<B, DFormer<B, small_config>, LightHamHead<B, 16, 32, 64, small_classes, 16, 16, 4>>;

}  // namespace dformer::testing
