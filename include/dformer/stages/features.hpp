#pragma once

#include <array>
#include <cstdint>
#include <string>

#include <dformer/core/error.hpp>
#include <dformer/core/shape.hpp>

namespace dformer {

/// The four feature maps of a backbone: level i is [N, H / 2^(i+2), W / 2^(i+2), C_i], extents rounded up.
template <class Tensor>
struct Features {
  std::array<Tensor, 4> levels;

  const Tensor& operator[](std::size_t level) const { return levels[level]; }
  Tensor& operator[](std::size_t level) { return levels[level]; }
};

/// What every backbone here asks of its input. Throws: ShapeError.
inline void require_rgbd(const Shape& rgb, const Shape& depth) {
  if (rgb.rank() == 4 && rgb[3] == 3 && rgb.numel() > 0 && depth == rgb.with_back(1)) return;
  throw_shape_error("[backbone] colour [N, H, W, 3] and depth [N, H, W, 1] of the same size expected; got " +
                    to_string(rgb) + " " + to_string(depth));
}

/// What a backbone asks beside that whose streams would else have maps of different sizes. Throws:
/// ShapeError.
inline void require_multiple(const Shape& rgb, std::int64_t multiple) {
  if (rgb[1] % multiple == 0 && rgb[2] % multiple == 0) return;
  throw_shape_error("[backbone] height and width must be multiples of " + std::to_string(multiple) +
                    "; got " + to_string(rgb) + ": resize or pad the images");
}

}  // namespace dformer
