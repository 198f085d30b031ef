#pragma once

#include <dformer/backend/cuda/device/language.cuh>

namespace dformer::cuda::device {

/// Calls body.pack(first element) for packs of widest_pack<T> elements and body.element(i) for what is left,
/// each once in the grid. What the elements are read from must start at a multiple of 16 bytes.
template <class T, class Body>
__device__ __forceinline__ void for_each_pack(std::int64_t count, const Body& body) {
  constexpr int width = widest_pack<T>;
  const std::int64_t packs = count / width;
  for (std::int64_t i = global_thread(); i < packs; i += global_threads()) body.pack(i * width);
  for (std::int64_t i = packs * width + global_thread(); i < count; i += global_threads()) body.element(i);
}

/// y = function(x...), element by element in float.
template <class T, class Function>
struct Map1 {
  const T* x;
  T* y;
  Function function;

  __device__ __forceinline__ void element(std::int64_t i) const {
    y[i] = from_float<T>(function(to_float(x[i])));
  }
  __device__ __forceinline__ void pack(std::int64_t i) const {
    using P = Pack<T, widest_pack<T>>;
    P values = *reinterpret_cast<const P*>(x + i);
    for (T& value : values.values) value = from_float<T>(function(to_float(value)));
    *reinterpret_cast<P*>(y + i) = values;
  }
};
template <class T, class Function>
struct Map2 {
  const T* a;
  const T* b;
  T* y;
  Function function;

  __device__ __forceinline__ void element(std::int64_t i) const {
    y[i] = from_float<T>(function(to_float(a[i]), to_float(b[i])));
  }
  __device__ __forceinline__ void pack(std::int64_t i) const {
    using P = Pack<T, widest_pack<T>>;
    P left = *reinterpret_cast<const P*>(a + i);
    const P right = *reinterpret_cast<const P*>(b + i);
    for (int k = 0; k < widest_pack<T>; ++k) {
      left.values[k] = from_float<T>(function(to_float(left.values[k]), to_float(right.values[k])));
    }
    *reinterpret_cast<P*>(y + i) = left;
  }
};

}  // namespace dformer::cuda::device
