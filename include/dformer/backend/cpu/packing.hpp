#pragma once

#include <algorithm>
#include <cstdint>

#include <dformer/backend/weight_layout.hpp>
#include <dformer/core/shape.hpp>

/// How the CPU keeps weights. A dense weight of PyTorch's shape [O, I, kh, kw] is cut into panels of 16
/// output channels, each [kh * kw * I][16] with the input channel running faster than the window: what a
/// matrix product reads from front to back, whatever the width of the vectors. Missing channels of the last
/// panel are zero. A depthwise weight [C, 1, kh, kw] becomes [kh * kw][C].
namespace dformer::cpu {

inline constexpr std::int64_t panel_width = 16;

constexpr std::int64_t panels_of(std::int64_t outputs) {
  return (outputs + panel_width - 1) / panel_width;
}

constexpr std::int64_t packed_elements(WeightLayout layout, const Shape& shape) {
  if (layout != WeightLayout::dense) return shape.numel();
  return panels_of(shape[0]) * panel_width * (shape.numel() / shape[0]);
}

namespace detail {

/// Calls element(packed index, PyTorch index) for every element of a dense weight.
template <class Element>
void for_each_dense(const Shape& shape, const Element& element) {
  const std::int64_t outputs = shape[0];
  const std::int64_t inputs = shape[1];
  const std::int64_t taps = shape.numel() / (outputs * inputs);
  const std::int64_t depth = taps * inputs;
  for (std::int64_t o = 0; o < outputs; ++o) {
    const std::int64_t panel = o / panel_width * depth * panel_width + o % panel_width;
    for (std::int64_t i = 0; i < inputs; ++i) {
      for (std::int64_t tap = 0; tap < taps; ++tap) {
        element(panel + (tap * inputs + i) * panel_width, (o * inputs + i) * taps + tap);
      }
    }
  }
}

}  // namespace detail

template <class T>
void pack_dense(const Shape& shape, const float* values, T* packed) {
  std::fill_n(packed, packed_elements(WeightLayout::dense, shape), T(0));
  detail::for_each_dense(
      shape, [&](std::int64_t to, std::int64_t from) { packed[to] = static_cast<T>(values[from]); });
}

template <class T>
void unpack_dense(const Shape& shape, const T* packed, float* values) {
  detail::for_each_dense(
      shape, [&](std::int64_t from, std::int64_t to) { values[to] = static_cast<float>(packed[from]); });
}

template <class T>
void pack_depthwise(const Shape& shape, const float* values, T* packed) {
  const std::int64_t channels = shape[0];
  const std::int64_t taps = shape[2] * shape[3];
  for (std::int64_t c = 0; c < channels; ++c) {
    for (std::int64_t tap = 0; tap < taps; ++tap)
      packed[tap * channels + c] = static_cast<T>(values[c * taps + tap]);
  }
}

template <class T>
void unpack_depthwise(const Shape& shape, const T* packed, float* values) {
  const std::int64_t channels = shape[0];
  const std::int64_t taps = shape[2] * shape[3];
  for (std::int64_t c = 0; c < channels; ++c) {
    for (std::int64_t tap = 0; tap < taps; ++tap)
      values[c * taps + tap] = static_cast<float>(packed[tap * channels + c]);
  }
}

}  // namespace dformer::cpu
