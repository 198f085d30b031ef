#pragma once

#include <type_traits>

#include <dformer/backend/cuda/kernels/epilogue.hpp>
#include <dformer/backend/cuda/tensor.hpp>
#include <dformer/backend/epilogue.hpp>
#include <dformer/backend/shapes.hpp>

namespace dformer::cuda {

/// What is kept for each channel must be float32, and what is added or multiplied element by element must
/// have T. Throws: ShapeError.
template <class T>
void require_epilogue_elements(const char* op, const Epilogue<Tensor<T>>& epilogue) {
  if constexpr (!std::is_same_v<T, float>) {
    for (const Tensor<T>* channels : {&epilogue.scale, &epilogue.shift, &epilogue.layer_scale}) {
      if (*channels && !channels->is_full()) {
        shapes::fail(op, "a value for each channel must be float32, as weight_from_host makes it",
                     {channels->shape()});
      }
    }
    for (const Tensor<T>* whole : {&epilogue.multiply, &epilogue.residual}) {
      if (*whole && whole->is_full()) {
        shapes::fail(op, "what is added or multiplied must have the backend's type", {whole->shape()});
      }
    }
  }
}

/// The epilogue of an operation with a result of shape y, for its kernel. Throws: ShapeError when an operand
/// does not fit y; ArgumentError when one is not on x's device.
template <class T>
EpilogueOperands<T> epilogue_operands(const char* op, const Tensor<T>& x, const Shape& y,
                                      const Epilogue<Tensor<T>>& epilogue) {
  shapes::epilogue(op, y, epilogue);
  require_epilogue_elements(op, epilogue);
  for (const Tensor<T>* operand :
       {&epilogue.scale, &epilogue.shift, &epilogue.multiply, &epilogue.layer_scale, &epilogue.residual}) {
    if (*operand) require_one_device(op, x, *operand);
  }
  return {
      full_or_null(epilogue.scale),    full_or_null(epilogue.shift),       epilogue.activation,
      data_or_null(epilogue.multiply), full_or_null(epilogue.layer_scale), data_or_null(epilogue.residual),
      epilogue.final_activation};
}

/// Makes the result of an operation of its sums: one pass over y, or none where nothing is asked for.
template <class T>
void finish(Tensor<T>& y, const EpilogueOperands<T>& epilogue) {
  if (epilogue.empty()) return;
  finish(FinishArgs<T>{y.data(), y.shape().rows(), y.shape().back(), epilogue}, y.device().stream());
}

}  // namespace dformer::cuda
