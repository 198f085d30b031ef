#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <dformer/backend/onnx/layout.hpp>
#include <dformer/backend/shapes.hpp>
#include <dformer/backend/weight_layout.hpp>

namespace dformer::onnx {

/// Weights and other constants hold their elements until they are written; results of nodes have none.
struct StorageOps {
  static Device default_device() { return Device(); }

  static Tensor empty(const Device& device, const Shape& shape) {
    return from_host(device, shape, std::vector<float>(static_cast<std::size_t>(shape.numel())));
  }

  /// A constant. Throws: ShapeError when `values` has another number of elements than the shape.
  static Tensor from_host(const Device& device, const Shape& shape, std::span<const float> values) {
    require_count("from_host", shape, values.size());
    return Tensor(device, shape,
                  {.elements = std::make_shared<const std::vector<float>>(values.begin(), values.end())});
  }

  /// Throws: ArgumentError for the result of a node.
  static void to_host(const Tensor& tensor, std::span<float> values) {
    if (!tensor.is_constant()) {
      throw_argument_error(
          "[onnx] a network of the Onnx backend is recorded, not run: only its weights have elements");
    }
    require_count("to_host", tensor.shape(), values.size());
    std::ranges::copy(*tensor.value()->elements, values.begin());
  }

  /// The same elements in their order, channels last, under another shape. The number of images must stay.
  static Tensor reshape(const Tensor& x, const Shape& shape) {
    if (shape.numel() != x.shape().numel()) {
      shapes::fail("reshape", "number of elements must stay the same", {x.shape(), shape});
    }
    if (x.is_constant()) return Tensor(x.device(), shape, *x.value());
    if (shape.rank() == 0 || shape[0] != x.shape()[0]) {
      shapes::fail("reshape", "the Onnx backend keeps the first extent, which may be open",
                   {x.shape(), shape});
    }
    const bool channels_stay =
        has_two_orders(x.shape()) && has_two_orders(shape) && shape.back() == x.shape().back();
    const Order order = channels_stay ? x.value()->order : Order::channels_last;
    return result(x, shape, order,
                  reshaped(x.recorder(), x.module(), name_in(x, order), reshape_dims(dims_of(shape, order))),
                  x.module());
  }

  static Tensor weight_from_host(const Device& device, WeightLayout layout, const Shape& shape,
                                 std::span<const float> values) {
    shapes::weight(layout, shape);
    return from_host(device, shape, values);
  }
  static void weight_to_host(const Tensor& weight, WeightLayout, std::span<float> values) {
    to_host(weight, values);
  }

 private:
  static void require_count(const char* op, const Shape& shape, std::size_t count) {
    if (static_cast<std::size_t>(shape.numel()) != count) {
      shapes::fail(op, std::to_string(count) + " values do not fill the shape", {shape});
    }
  }
};

}  // namespace dformer::onnx
