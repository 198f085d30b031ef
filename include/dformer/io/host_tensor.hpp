#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <dformer/core/shape.hpp>

namespace dformer::parity {

/// A tensor on the host, channels last.
struct HostTensor {
  Shape shape;
  std::vector<float> values;

  /// The value at a flat index of the same tensor with channels first.
  float at_channels_first(std::int64_t index) const {
    const std::int64_t channels = shape.back();
    const std::int64_t pixels = shape.numel() / shape[0] / channels;
    const std::int64_t pixel = index % pixels;
    const std::int64_t channel = index / pixels % channels;
    const std::int64_t image = index / pixels / channels;
    return values[static_cast<std::size_t>((image * pixels + pixel) * channels + channel)];
  }
};

/// A tensor of a backend, copied to the host.
template <class B>
HostTensor to_host(const typename B::Tensor& tensor) {
  HostTensor host{tensor.shape(), std::vector<float>(static_cast<std::size_t>(tensor.shape().numel()))};
  B::to_host(tensor, host.values);
  return host;
}

}  // namespace dformer::parity
