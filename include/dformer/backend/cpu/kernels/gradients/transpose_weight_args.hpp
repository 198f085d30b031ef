#pragma once

#include <cstdint>

#include <dformer/backend/cpu/packing.hpp>

namespace dformer::cpu {

/// A dense weight (packing.hpp) turned round, for products of the gradient with it: `lines` matrices, each
/// `width` of the weight's rows by its channels, in panels [channels][16] of 16 of these rows. A task is a
/// panel of the result.
template <class T>
struct TransposeWeightArgs {
  const T* weight;  ///< [panels][lines * width][16]
  std::int64_t channels;
  std::int64_t lines;
  std::int64_t width;
  T* y;  ///< [lines][panels_of(width)][channels][16]

  std::int64_t tasks() const { return lines * panels_of(width); }
};

}  // namespace dformer::cpu
