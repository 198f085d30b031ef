#pragma once

#include <algorithm>
#include <memory>
#include <span>
#include <string>
#include <type_traits>

#include <dformer/backend/cuda/elements.hpp>
#include <dformer/backend/cuda/kernels/convert.hpp>
#include <dformer/backend/cuda/tensor.hpp>
#include <dformer/backend/cuda/weight_order.hpp>
#include <dformer/backend/shapes.hpp>
#include <dformer/backend/weight_layout.hpp>

namespace dformer::cuda {

/// Making tensors, and the way of their elements from and to the host's float arrays in row-major order.
template <class T>
struct StorageOps {
  static const Device& default_device() { return cuda::default_device(); }

  static Tensor<T> empty(const Device& device, const Shape& shape) { return Tensor<T>(device, shape); }

  /// Throws: ShapeError when `values` has another number of elements than the shape.
  static Tensor<T> from_host(const Device& device, const Shape& shape, std::span<const float> values) {
    require_count("from_host", shape, values.size());
    if constexpr (std::is_same_v<T, float>) {
      return upload_full(device, shape, values);
    } else {
      return rounded(upload_full(device, shape, values));
    }
  }

  /// Waits until the tensor is computed.
  static void to_host(const Tensor<T>& tensor, std::span<float> values) {
    require_count("to_host", tensor.shape(), values.size());
    const Device& device = tensor.device();
    if constexpr (!std::is_same_v<T, float>) {
      if (!tensor.is_full()) return to_host(full(tensor), values);
    }
    device.staging().download(values.data(), tensor.memory(), values.size_bytes(), device.stream());
  }

  /// The same elements under another shape with as many of them.
  static Tensor<T> reshape(const Tensor<T>& tensor, const Shape& shape) {
    if (shape.numel() != tensor.shape().numel()) {
      shapes::fail("reshape", "number of elements must stay the same", {tensor.shape(), shape});
    }
    return tensor.with_shape(shape);
  }

  /// A parameter in the order that the operations want, from PyTorch's order; `shape` is PyTorch's. Weights
  /// of products and convolutions have T, all others float32.
  static Tensor<T> weight_from_host(const Device& device, WeightLayout layout, const Shape& shape,
                                    std::span<const float> values) {
    require_count("weight_from_host", shape, values.size());
    if (layout == WeightLayout::plain) return upload_full(device, shape, values);
    shapes::weight(layout, shape);
    const std::vector<float> ordered = WeightOrder::of(layout, shape).to_device(values);
    Tensor<T> weight = from_host(device, shape, ordered);
    if constexpr (!std::is_same_v<T, float>) {
      if (device.options().master_weights) {
        weight.set_master(
            std::make_shared<Tensor<float>>(StorageOps<float>::from_host(device, shape, ordered)));
      }
    }
    return weight;
  }

  static void weight_to_host(const Tensor<T>& weight, WeightLayout layout, std::span<float> values) {
    if (layout == WeightLayout::plain) return to_host(weight, values);
    require_count("weight_to_host", weight.shape(), values.size());
    if (weight.master() != nullptr) {
      StorageOps<float>::to_host(*weight.master(), values);
    } else {
      to_host(weight, values);
    }
    const std::vector<float> ordered = WeightOrder::of(layout, weight.shape()).to_host(values);
    std::copy(ordered.begin(), ordered.end(), values.begin());
  }

 private:
  static Tensor<T> upload_full(const Device& device, const Shape& shape, std::span<const float> values) {
    Tensor<T> tensor(device, shape, Elements::full);
    device.staging().upload(tensor.memory(), values.data(), values.size_bytes(), device.stream());
    return tensor;
  }
  static Tensor<T> rounded(const Tensor<T>& full) {
    Tensor<T> y(full.device(), full.shape());
    convert(ConvertArgs<float, T>{full.full_data(), y.data(), y.elements()}, full.device().stream());
    return y;
  }
  static void require_count(const char* op, const Shape& shape, std::size_t count) {
    if (static_cast<std::size_t>(shape.numel()) != count) {
      shapes::fail(op, std::to_string(count) + " values do not fill the shape", {shape});
    }
  }
};

}  // namespace dformer::cuda
