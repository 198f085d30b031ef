#pragma once

#include <cstdint>

#include <dformer/backend/epilogue.hpp>

namespace dformer::cpu {

/// An Epilogue for kernels: null where an operand is left out. `multiply` and `residual` point to the same
/// element as the output that they are combined with.
template <class T>
struct EpilogueArgs {
  const T* scale;
  const T* shift;
  const T* multiply;
  const T* layer_scale;
  const T* residual;
  Activation activation;
  Activation final_activation;

  /// Nothing but y = scale[c] * acc + shift[c].
  bool is_affine() const {
    return activation == Activation::none && multiply == nullptr && layer_scale == nullptr &&
           residual == nullptr && final_activation == Activation::none;
  }

  /// For an output that starts `elements` further on.
  EpilogueArgs advanced(std::int64_t elements) const {
    EpilogueArgs args = *this;
    if (multiply != nullptr) args.multiply += elements;
    if (residual != nullptr) args.residual += elements;
    return args;
  }
};

}  // namespace dformer::cpu
