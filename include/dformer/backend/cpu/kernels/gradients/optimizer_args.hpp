#pragma once

#include <cstdint>

namespace dformer::cpu {

/// Elements that are updated alike; a task is a block of `block` of them.
struct ElementBlocks {
  static constexpr std::int64_t block = 4096;

  std::int64_t count;

  std::int64_t tasks() const { return (count + block - 1) / block; }
};

/// mean += (1 - beta1) (gradient - mean), squares likewise with beta2 and the gradient's square; then
/// value = keep * value - step * mean / (root_scale * sqrt(squares) + eps).
template <class T>
struct AdamWArgs : ElementBlocks {
  T* value;
  const T* gradient;
  T* mean;
  T* squares;
  T beta1;
  T one_minus_beta1;
  T beta2;
  T one_minus_beta2;
  T keep;        ///< 1 - lr * weight_decay
  T step;        ///< lr / (1 - beta1^step)
  T root_scale;  ///< 1 / sqrt(1 - beta2^step)
  T eps;
};

/// momentum_buffer = momentum * momentum_buffer + gradient + decay * value; value -= lr * momentum_buffer.
/// The buffer is not read where momentum is 0, and null where nothing is kept.
template <class T>
struct SgdArgs : ElementBlocks {
  T* value;
  const T* gradient;
  T* momentum_buffer;
  T momentum;
  T weight_decay;
  T lr;
};

/// average = decay * average + share * x.
template <class T>
struct AverageArgs : ElementBlocks {
  T* average;
  const T* x;
  T decay;
  T share;
};

}  // namespace dformer::cpu
