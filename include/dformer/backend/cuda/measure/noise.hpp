#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <dformer/backend/cuda/runtime.hpp>
#include <dformer/backend/cuda/storage.hpp>
#include <dformer/backend/cuda/tensor.hpp>
#include <dformer/core/fill.hpp>

namespace dformer::cuda {

/// Values in [-1, 1) for measurements: with zeros a GPU takes less power, and so is faster, than at work.
/// They are copies of one block, as gigabytes would take longer to upload than what is measured.
template <class T>
class Noise {
 public:
  explicit Noise(const Device& device) {
    const NamedStream stream("noise");
    std::vector<float> values(block_elements);
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = stream.symmetric(i);
    const Shape shape{static_cast<std::int64_t>(values.size())};
    full_ = StorageOps<float>::from_host(device, shape, values);
    rounded_ = StorageOps<T>::from_host(device, shape, values);
  }

  /// A tensor of the device that the noise was made on.
  Tensor<T> tensor(const Shape& shape, Elements elements = Elements::compute) const {
    Tensor<T> y(full_.device(), shape, elements);
    if (y.is_full()) {
      tile(full_.memory(), sizeof(float), y);
    } else {
      tile(rounded_.memory(), sizeof(T), y);
    }
    return y;
  }

 private:
  static constexpr std::size_t block_elements = 1u << 20;

  static void tile(const void* block, std::size_t element_bytes, Tensor<T>& y) {
    const std::size_t bytes = static_cast<std::size_t>(y.elements()) * element_bytes;
    auto* const to = static_cast<std::byte*>(y.memory());
    for (std::size_t at = 0; at < bytes; at += block_elements * element_bytes) {
      runtime::copy_on_device(to + at, block, std::min(bytes - at, block_elements * element_bytes),
                              y.device().stream());
    }
  }

  Tensor<float> full_;
  Tensor<T> rounded_;
};

}  // namespace dformer::cuda
