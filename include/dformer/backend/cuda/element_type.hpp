#pragma once

#include <type_traits>

#include <dformer/core/dtype.hpp>
#include <dformer/core/half.hpp>

namespace dformer::cuda {

/// The name of T for library.hpp.
template <class T>
constexpr DType element_type() {
  if constexpr (std::is_same_v<T, float>) return DType::float32;
  if constexpr (std::is_same_v<T, half>) return DType::float16;
  return DType::bfloat16;
}

}  // namespace dformer::cuda
