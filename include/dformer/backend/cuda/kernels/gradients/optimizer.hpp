#pragma once

#include <cstdint>

#include <dformer/backend/cuda/stream.hpp>
#include <dformer/core/half.hpp>

// Launchers of the kernels in device/gradients/optimizer.cuh, for T float, half and bfloat16.
namespace dformer::cuda {

/// One kernel goes over many arrays, whatever their lengths: a block for each chunk of so many elements. Args
/// are what it is to do with one array, and have the chunks before it as `first_chunk`.
constexpr std::int64_t elements_of_chunk = 4096;
template <class Args>
struct ArgsList {
  const Args* args;  ///< on the device
  int count;
  std::int64_t chunks;
};

/// What a step changes: values in float32, and where the network has them in another type, those as well.
template <class T>
struct StepTarget {
  float* value;
  T* rounded;  ///< null where there is none
  std::int64_t count;
};

/// Of the gradient times `factor`: mean += (1 - beta1) (gradient - mean), squares likewise with beta2 and the
/// gradient's square; then value = keep * value - step * mean / (root_scale * sqrt(squares) + eps).
template <class T>
struct AdamWArgs {
  StepTarget<T> target;
  const float* gradient;
  float* mean;
  float* squares;
  float factor;
  float beta1;
  float one_minus_beta1;
  float beta2;
  float one_minus_beta2;
  float keep;        ///< 1 - lr * weight_decay
  float step;        ///< lr / (1 - beta1^step)
  float root_scale;  ///< 1 / sqrt(1 - beta2^step)
  float eps;
  std::int64_t first_chunk = 0;

  std::int64_t elements() const { return target.count; }
};
template <class T>
void adamw(const ArgsList<AdamWArgs<T>>& list, Stream stream);

/// momentum_buffer = momentum * momentum_buffer + factor * gradient + decay * value; value -= lr *
/// momentum_buffer. The buffer is not read where momentum is 0, and null where nothing is kept.
template <class T>
struct SgdArgs {
  StepTarget<T> target;
  const float* gradient;
  float* momentum_buffer;
  float factor;
  float momentum;
  float weight_decay;
  float lr;
  std::int64_t first_chunk = 0;

  std::int64_t elements() const { return target.count; }
};
template <class T>
void sgd(const ArgsList<SgdArgs<T>>& list, Stream stream);

/// value = decay * value + share * x.
template <class T>
struct AverageArgs {
  StepTarget<T> target;
  const float* x;
  float decay;
  float share;
  std::int64_t first_chunk = 0;

  std::int64_t elements() const { return target.count; }
};
template <class T>
void average_to(const ArgsList<AverageArgs<T>>& list, Stream stream);

/// The squares of x, which are summed in double.
template <class T>
struct SquaresArgs {
  const T* x;
  std::int64_t count;
  std::int64_t first_chunk = 0;

  std::int64_t elements() const { return count; }
};
/// `partial` is memory for a sum of each chunk.
template <class T>
void sum_of_squares(const ArgsList<SquaresArgs<T>>& list, double* partial, double* result, Stream stream);

}  // namespace dformer::cuda
