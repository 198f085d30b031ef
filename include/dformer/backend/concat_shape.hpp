#pragma once

#include <array>
#include <span>

#include <dformer/backend/shapes.hpp>

namespace dformer::shapes {

/// The shape of inputs taken as concatenated. Throws: ShapeError.
template <class Tensor>
Shape concat_shape(const char* op, std::span<const Tensor> inputs) {
  if (inputs.empty()) return concat({}, op);
  Shape shape = concat(std::array{inputs[0].shape()}, op);
  for (const Tensor& input : inputs.subspan(1)) shape = concat(std::array{shape, input.shape()}, op);
  return shape;
}

}  // namespace dformer::shapes
