#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <type_traits>
#include <vector>

#include <backend/naive_epilogue.hpp>
#include <gtest/gtest.h>
#include <support/backend_under_test.hpp>

/// What tests of half and bfloat16 share: the same operation in float, on values that are exact in 16 bits,
/// says what is right. Operations compute in float32 whatever their elements are, so that only the roundings
/// of what is stored lie between the results.
namespace dformer::testing {

using SixteenBitTypes = ::testing::Types<half, bfloat16>;

/// The largest relative error of rounding to T.
template <class T>
constexpr double unit_roundoff = std::is_same_v<T, half> ? 0x1p-11 : 0x1p-8;

template <class T>
cuda::Tensor<T> upload_as(const cuda::Device& device, const Array& array) {
  return Cuda<T>::from_host(device, array.shape, array.values);
}
template <class T>
cuda::Tensor<T> upload_as(const Array& array) {
  return upload_as<T>(cuda::default_device(), array);
}
/// A parameter with a value for each channel, which is float32 whatever T is.
template <class T>
cuda::Tensor<T> upload_channels(const cuda::Device& device, const Array& array) {
  return Cuda<T>::weight_from_host(device, WeightLayout::plain, array.shape, array.values);
}
template <class T>
cuda::Tensor<T> upload_channels(const Array& array) {
  return upload_channels<T>(cuda::default_device(), array);
}
template <class T>
Array download_from(const cuda::Tensor<T>& tensor) {
  Array array{tensor.shape(), std::vector<float>(static_cast<std::size_t>(tensor.shape().numel()))};
  Cuda<T>::to_host(tensor, array.values);
  return array;
}
/// The nearest values that T has.
template <class T>
Array rounded_to(const Array& array) {
  return download_from(upload_as<T>(array));
}

/// `actual` differs from `expected` by one rounding to T, and by `slack` for sums made in another order.
template <class T>
void expect_rounded(const Array& actual, const Array& expected, double slack, const std::string& what) {
  ASSERT_EQ(to_string(actual.shape), to_string(expected.shape)) << what;
  for (std::size_t i = 0; i < expected.values.size(); ++i) {
    const auto value = static_cast<double>(expected.values[i]);
    ASSERT_NEAR(actual.values[i], value, unit_roundoff<T> * std::abs(value) + slack)
        << what << ", element " << i;
  }
}
/// The same with 1e-6 of the largest value for these sums, and for numbers too small for half's precision.
template <class T>
void expect_rounded(const cuda::Tensor<T>& actual, const cuda::Tensor<float>& exact,
                    const std::string& what) {
  const Array expected = download_from(exact);
  expect_rounded<T>(download_from(actual), expected,
                    1e-6 * std::max(1.0, static_cast<double>(expected.max_abs())), what);
}

}  // namespace dformer::testing
