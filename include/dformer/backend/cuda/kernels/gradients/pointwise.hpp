#pragma once

#include <cstdint>

#include <dformer/backend/cuda/kernels/gradients/column_sums.hpp>
#include <dformer/backend/cuda/stream.hpp>
#include <dformer/backend/epilogue.hpp>
#include <dformer/core/half.hpp>

// Launchers of the kernels in device/gradients/pointwise.cuh, for T float, half and bfloat16.
namespace dformer::cuda {

/// `saved` is the input of gelu and the result of relu and sigmoid.
template <class T>
struct ActivationGradientArgs {
  const T* saved;
  const T* dy;
  T* dx;
  std::int64_t count;
  Activation activation;
};
template <class T>
void activation_gradient(const ActivationGradientArgs<T>& args, Stream stream);

/// dx = y * (dy - sum of y * dy) for each row of y, dy [rows, channels].
template <class T>
struct SoftmaxGradientArgs {
  const T* y;
  const T* dy;
  T* dx;
  std::int64_t rows;
  std::int64_t channels;
};
template <class T>
void softmax_gradient(const SoftmaxGradientArgs<T>& args, Stream stream);

/// result [channels]: the sums over all rows of a, or of a * b where there is a b.
template <class T>
struct ChannelSumsArgs {
  const T* a;
  const T* b;
  float* result;
  Columns columns;
  PartialSums partial;  ///< one sum for each channel
};
template <class T>
void channel_sums(const ChannelSumsArgs<T>& args, Stream stream);
template <class T>
void channel_products(const ChannelSumsArgs<T>& args, Stream stream);

/// y = x * factor, where x is `samples` matrices one after the other. Each has factors of its own: one, or
/// one for each channel.
template <class T>
struct ScaleColumnsArgs {
  const T* x;
  const float* factors;
  T* y;
  Columns columns;  ///< of one sample
  std::int64_t samples;
  bool one_for_all_channels;
};
template <class T>
void scale_columns(const ScaleColumnsArgs<T>& args, Stream stream);

/// y = x * factor.
template <class T>
struct ScaledArgs {
  const T* x;
  T* y;
  std::int64_t count;
  float factor;
};
template <class T>
void scaled(const ScaledArgs<T>& args, Stream stream);

}  // namespace dformer::cuda
