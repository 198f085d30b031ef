#pragma once

#include <cstdint>

#include <dformer/backend/epilogue.hpp>

namespace dformer::cpu {

/// y = f(a) or f(a, b), element by element. A task is a block of `block` elements.
template <class T>
struct PointwiseArgs {
  static constexpr std::int64_t block = 4096;

  const T* a;
  const T* b;
  T* y;
  std::int64_t count;
  Activation activation;
};

/// Softmax over rows of `channels` elements. A task is a row.
template <class T>
struct SoftmaxArgs {
  const T* x;
  T* y;
  std::int64_t channels;
};

}  // namespace dformer::cpu
