#pragma once

#include <dformer/backend/cpu/kernels/epilogue_args.hpp>
#include <dformer/backend/cpu/tensor.hpp>
#include <dformer/backend/epilogue.hpp>
#include <dformer/backend/shapes.hpp>

namespace dformer::cpu {

/// The epilogue of an operation with a result of shape y, for its kernel. Throws: ShapeError when an operand
/// does not fit y.
template <class T>
EpilogueArgs<T> epilogue_args(const char* op, const Shape& y, const Epilogue<Tensor<T>>& epilogue) {
  shapes::epilogue(op, y, epilogue);
  return {data_or_null(epilogue.scale),    data_or_null(epilogue.shift),
          data_or_null(epilogue.multiply), data_or_null(epilogue.layer_scale),
          data_or_null(epilogue.residual), epilogue.activation,
          epilogue.final_activation};
}

}  // namespace dformer::cpu
