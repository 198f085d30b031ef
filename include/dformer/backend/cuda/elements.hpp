#pragma once

#include <type_traits>

#include <dformer/backend/cuda/kernels/convert.hpp>
#include <dformer/backend/cuda/tensor.hpp>
#include <dformer/backend/shapes.hpp>

namespace dformer::cuda {

/// A tensor with elements of the same kind as x's.
template <class T>
Tensor<T> like(const Tensor<T>& x, const Shape& shape) {
  return Tensor<T>(x.device(), shape, x.elements_kind());
}

/// Operands of one operation must have elements of one kind. Throws: ShapeError.
template <class T>
void require_same_elements(const char* op, const Tensor<T>& a, const Tensor<T>& b) {
  if (a.elements_kind() == b.elements_kind()) return;
  shapes::fail(op, "one operand is float32 (a parameter or statistic of channels) and the other is not",
               {a.shape(), b.shape()});
}

/// x with float32 elements, as operands must be that are used in float32 only: itself where it has them.
template <class T>
Tensor<T> full(const Tensor<T>& x) {
  if constexpr (std::is_same_v<T, float>) {
    return x;
  } else {
    if (x.is_full()) return x;
    Tensor<T> y(x.device(), x.shape(), Elements::full);
    convert(ConvertArgs<T, float>{x.data(), y.full_data(), y.elements()}, x.device().stream());
    return y;
  }
}

/// What is changed in place in float32 only must have that. Throws: ShapeError.
template <class T>
void require_full(const char* op, const Tensor<T>& x) {
  if (std::is_same_v<T, float> || x.is_full()) return;
  shapes::fail(op, "float32 elements expected, as weight_from_host makes parameters of channels",
               {x.shape()});
}

/// Calls body(pointers...) with the memory of tensors of one kind, as float* where they are full, as T*
/// otherwise. The first tensor decides.
template <class T, class Body, class... Tensors>
void with_elements(Body&& body, const Tensor<T>& x, Tensors&... others) {
  if constexpr (!std::is_same_v<T, float>) {
    if (x.is_full()) return body(x.full_data(), others.full_data()...);
  }
  body(x.data(), others.data()...);
}

}  // namespace dformer::cuda
