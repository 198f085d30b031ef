#pragma once

#include <cstring>

#include <dformer/backend/cuda/device/floats.cuh>

namespace dformer::cuda::device {

/// N elements as they lie in memory, in whole registers until they are made floats.
template <class T, int N>
struct RawPack {
  static constexpr int count = N * static_cast<int>(sizeof(T)) / 4;
  using Words = Pack<std::uint32_t, count>;
  Words words{};

  __device__ __forceinline__ void load(const T* from) { words = *reinterpret_cast<const Words*>(from); }
  __device__ __forceinline__ Floats<N> floats() const {
    Pack<T, N> elements;
    std::memcpy(&elements, &words, sizeof elements);
    return load_floats<N>(elements.values);
  }
};

}  // namespace dformer::cuda::device
