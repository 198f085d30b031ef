#pragma once

#include <cstdint>

namespace dformer::cpu {

/// Neighbouring channels of each head turned by (token number in the image) * angle, after scaling. A task is
/// a token.
template <class T>
struct RotaryArgs {
  const T* x;
  const T* angle;
  T* y;
  T* scratch;           // 2 * head_dim
  std::int64_t tokens;  // of one image
  std::int64_t heads;
  std::int64_t head_dim;
  T scale;
};

}  // namespace dformer::cpu
