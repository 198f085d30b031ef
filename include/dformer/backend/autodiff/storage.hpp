#pragma once

#include <memory>
#include <span>

#include <dformer/backend/autodiff/tensor.hpp>
#include <dformer/backend/weight_layout.hpp>

namespace dformer::autodiff {

template <class B>
struct StorageOps {
  using T = Tensor<B>;
  using Device = typename B::Device;

  /// The same value, whose gradient is asked for.
  static T leaf(const T& value) { return {value.value(), std::make_shared<Node<B>>()}; }

  static decltype(auto) default_device() { return B::default_device(); }
  static T empty(const Device& device, const Shape& shape) { return T(B::empty(device, shape)); }
  static T from_host(const Device& device, const Shape& shape, std::span<const float> values) {
    return T(B::from_host(device, shape, values));
  }
  static void to_host(const T& x, std::span<float> values) { B::to_host(x.value(), values); }
  static T weight_from_host(const Device& device, WeightLayout layout, const Shape& shape,
                            std::span<const float> values) {
    return T(B::weight_from_host(device, layout, shape, values));
  }
  static void weight_to_host(const T& x, WeightLayout layout, std::span<float> values) {
    B::weight_to_host(x.value(), layout, values);
  }
  static void labels_to_host(const typename B::Labels& labels, std::span<std::uint8_t> out) {
    B::labels_to_host(labels, out);
  }

  static T reshape(const T& x, const Shape& shape) {
    return record<B>(B::reshape(x.value(), shape), {&x},
                     [shape = x.shape()](const typename B::Tensor& dy, Parents<B>& to) {
                       to.give(0, B::reshape(dy, shape));
                     });
  }
};

}  // namespace dformer::autodiff
