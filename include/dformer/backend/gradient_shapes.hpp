#pragma once

#include <dformer/backend/shapes.hpp>

/// The checks of the gradients' operands, once for all backends; each function returns the shape of the
/// operation's result. Throws: as shapes.hpp.
namespace dformer::shapes {

inline Shape attention_gradient(const Shape& q, const Shape& kv, int num_heads, const Shape& dy) {
  return same("attention gradient", attention(q, kv, num_heads), dy);
}

}  // namespace dformer::shapes
