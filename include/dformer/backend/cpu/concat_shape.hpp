#pragma once

#include <array>
#include <span>

#include <dformer/backend/cpu/tensor.hpp>
#include <dformer/backend/shapes.hpp>

namespace dformer::cpu {

/// The shape of inputs taken as concatenated. Throws: ShapeError.
template <class T>
Shape concat_shape(const char* op, std::span<const Tensor<T>> inputs) {
  if (inputs.empty()) return shapes::concat({}, op);
  Shape shape = shapes::concat(std::array{inputs[0].shape()}, op);
  for (const Tensor<T>& input : inputs.subspan(1)) {
    shape = shapes::concat(std::array{shape, input.shape()}, op);
  }
  return shape;
}

}  // namespace dformer::cpu
