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

  /// For an output that starts `elements` further on.
  EpilogueArgs advanced(std::int64_t elements) const {
    EpilogueArgs args = *this;
    if (multiply != nullptr) args.multiply += elements;
    if (residual != nullptr) args.residual += elements;
    return args;
  }
};

}  // namespace dformer::cpu
