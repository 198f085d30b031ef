#pragma once

#include <cstdint>

#include <dformer/backend/cuda/stream.hpp>
#include <dformer/core/half.hpp>

// Launchers of the kernels in device/gradients/optimizer.cuh, for T float, half and bfloat16.
namespace dformer::cuda {

/// What a step changes: values in float32, and where the network has them in another type, those as well.
template <class T>
struct StepTarget {
  float* value;
  T* rounded;  ///< null where there is none
  std::int64_t count;
};

/// mean += (1 - beta1) (gradient - mean), squares likewise with beta2 and the gradient's square; then
/// value = keep * value - step * mean / (root_scale * sqrt(squares) + eps).
template <class T>
struct AdamWArgs {
  StepTarget<T> target;
  const float* gradient;
  float* mean;
  float* squares;
  float beta1;
  float one_minus_beta1;
  float beta2;
  float one_minus_beta2;
  float keep;        ///< 1 - lr * weight_decay
  float step;        ///< lr / (1 - beta1^step)
  float root_scale;  ///< 1 / sqrt(1 - beta2^step)
  float eps;
};
template <class T>
void adamw(const AdamWArgs<T>& args, Stream stream);

/// momentum_buffer = momentum * momentum_buffer + gradient + decay * value; value -= lr * momentum_buffer.
/// The buffer is not read where momentum is 0, and null where nothing is kept.
template <class T>
struct SgdArgs {
  StepTarget<T> target;
  const float* gradient;
  float* momentum_buffer;
  float momentum;
  float weight_decay;
  float lr;
};
template <class T>
void sgd(const SgdArgs<T>& args, Stream stream);

/// value = decay * value + share * x.
template <class T>
struct AverageArgs {
  StepTarget<T> target;
  const float* x;
  float decay;
  float share;
};
template <class T>
void average_to(const AverageArgs<T>& args, Stream stream);

/// The sum of the squares of x, in double.
template <class T>
struct SumOfSquaresArgs {
  static constexpr std::int64_t most_blocks = 512;

  const T* x;
  std::int64_t count;
  double* partial;  ///< [most_blocks]: memory for the blocks' sums
  double* result;
};
template <class T>
void sum_of_squares(const SumOfSquaresArgs<T>& args, Stream stream);

}  // namespace dformer::cuda
