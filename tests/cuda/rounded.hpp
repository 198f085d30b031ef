#pragma once

#include <algorithm>
#include <cmath>
#include <type_traits>

#include <backend/naive_epilogue.hpp>
#include <support/golden.hpp>

#include <dformer/cuda.hpp>

/// Half and bfloat16 beside float: operations compute in float32 whatever their elements are, so that with
/// operands that are exact in T only the roundings of what is stored lie between the results.
namespace dformer::testing {

/// The largest relative error of rounding to T.
template <class T>
constexpr double roundoff = std::is_same_v<T, half> ? 1.0 / 2048 : 1.0 / 256;

template <class T>
Array values_of(const cuda::Tensor<T>& tensor) {
  Array array{tensor.shape(), std::vector<float>(static_cast<std::size_t>(tensor.shape().numel()))};
  Cuda<T>::to_host(tensor, array.values);
  return array;
}

/// The nearest values of T.
template <class T>
Array rounded_to(const Array& array) {
  return values_of(Cuda<T>::from_host(cuda::default_device(), array.shape, array.values));
}

/// A tensor of values that are exact in T.
template <class T>
cuda::Tensor<T> made_on(const cuda::Device& device, const Array& array) {
  return Cuda<T>::from_host(device, array.shape, array.values);
}
template <class T>
cuda::Tensor<T> made(const Array& array) {
  return made_on<T>(cuda::default_device(), array);
}
/// A parameter that is float32 whatever T is.
template <class T>
cuda::Tensor<T> made_full(const Array& array) {
  return Cuda<T>::weight_from_host(cuda::default_device(), WeightLayout::plain, array.shape, array.values);
}

/// Each element is `exact`, rounded once to T: its roundoff, and 1e-6 of the largest for what float32 sums
/// leave open and numbers too small for half's precision.
template <class T>
void expect_rounded(const cuda::Tensor<T>& actual, const cuda::Tensor<float>& exact,
                    const std::string& what) {
  const Array a = values_of(actual), e = values_of(exact);
  ASSERT_EQ(to_string(a.shape), to_string(e.shape)) << what;
  const double slack = 1e-6 * std::max(1.0, static_cast<double>(e.max_abs()));
  for (std::size_t i = 0; i < a.values.size(); ++i) {
    const double expected = static_cast<double>(e.values[i]);
    ASSERT_NEAR(static_cast<double>(a.values[i]), expected, roundoff<T> * std::abs(expected) + slack)
        << what << ": element " << i;
  }
}

}  // namespace dformer::testing
