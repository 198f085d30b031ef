#pragma once

#include <cstdint>

#include <dformer/backend/cuda/stream.hpp>
#include <dformer/backend/epilogue.hpp>
#include <dformer/core/half.hpp>

// Launchers of the kernels in device/epilogue.cuh, for T float, half and bfloat16.
namespace dformer::cuda {

/// The operands of an Epilogue in a GPU's memory; null where one is left out.
template <class T>
struct EpilogueOperands {
  const float* scale = nullptr;
  const float* shift = nullptr;
  Activation activation = Activation::none;
  const T* multiply = nullptr;
  const float* layer_scale = nullptr;
  const T* residual = nullptr;
  Activation final_activation = Activation::none;

  bool empty() const {
    return scale == nullptr && shift == nullptr && activation == Activation::none && multiply == nullptr &&
           layer_scale == nullptr && residual == nullptr && final_activation == Activation::none;
  }
  /// Whether nothing but a shift is asked for, if that.
  bool only_shifts() const {
    EpilogueOperands others = *this;
    others.shift = nullptr;
    return others.empty();
  }
};

/// Applies an epilogue to sums y [rows, channels], in place.
template <class T>
struct FinishArgs {
  T* y;
  std::int64_t rows;
  std::int64_t channels;
  EpilogueOperands<T> epilogue;
};
template <class T>
void finish(const FinishArgs<T>& args, Stream stream);

}  // namespace dformer::cuda
