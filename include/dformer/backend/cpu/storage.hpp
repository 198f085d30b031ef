#pragma once

#include <algorithm>
#include <span>
#include <string>

#include <dformer/backend/cpu/packing.hpp>
#include <dformer/backend/cpu/tensor.hpp>
#include <dformer/backend/shapes.hpp>
#include <dformer/backend/weight_layout.hpp>

namespace dformer::cpu {

/// Making tensors, and the way of their elements from and to the host's float arrays in row-major order.
template <class T>
struct StorageOps {
  static const Device& default_device() { return cpu::default_device(); }

  static Tensor<T> empty(const Device& device, const Shape& shape) { return Tensor<T>(device, shape); }

  /// Throws: ShapeError when `values` has another number of elements than the shape.
  static Tensor<T> from_host(const Device& device, const Shape& shape, std::span<const float> values) {
    require_count("from_host", shape, values.size());
    Tensor<T> tensor(device, shape);
    std::copy(values.begin(), values.end(), tensor.data());
    return tensor;
  }

  static void to_host(const Tensor<T>& tensor, std::span<float> values) {
    require_count("to_host", tensor.shape(), values.size());
    std::transform(tensor.data(), tensor.data() + values.size(), values.begin(),
                   [](T value) { return static_cast<float>(value); });
  }

  /// The same elements under another shape with as many of them.
  static Tensor<T> reshape(const Tensor<T>& tensor, const Shape& shape) {
    if (shape.numel() != tensor.shape().numel()) {
      shapes::fail("reshape", "number of elements must stay the same", {tensor.shape(), shape});
    }
    return tensor.with_shape(shape);
  }

  /// A parameter in the order that the operations want, from PyTorch's order; `shape` is PyTorch's.
  static Tensor<T> weight_from_host(const Device& device, WeightLayout layout, const Shape& shape,
                                    std::span<const float> values) {
    require_count("weight_from_host", shape, values.size());
    if (layout == WeightLayout::plain) return from_host(device, shape, values);
    shapes::weight(layout, shape);
    Tensor<T> weight(device, shape, packed_elements(layout, shape));
    if (layout == WeightLayout::dense) {
      pack_dense(shape, values.data(), weight.data());
    } else {
      pack_depthwise(shape, values.data(), weight.data());
    }
    return weight;
  }

  static void weight_to_host(const Tensor<T>& weight, WeightLayout layout, std::span<float> values) {
    if (layout == WeightLayout::plain) return to_host(weight, values);
    require_count("weight_to_host", weight.shape(), values.size());
    if (layout == WeightLayout::dense) {
      unpack_dense(weight.shape(), weight.data(), values.data());
    } else {
      unpack_depthwise(weight.shape(), weight.data(), values.data());
    }
  }

 private:
  static void require_count(const char* op, const Shape& shape, std::size_t count) {
    if (static_cast<std::size_t>(shape.numel()) != count) {
      shapes::fail(op, std::to_string(count) + " values do not fill the shape", {shape});
    }
  }
};

}  // namespace dformer::cpu
