#pragma once

#include <cmath>
#include <string>
#include <type_traits>

#include <backend/naive_epilogue.hpp>
#include <gtest/gtest.h>
#include <support/backend_under_test.hpp>

/// What tests of half and bfloat16 share: the same operation in float, on the same values, says what is
/// right.
namespace dformer::testing {

using SixteenBitTypes = ::testing::Types<half, bfloat16>;

/// The largest relative error of rounding to T.
template <class T>
constexpr double unit_roundoff = std::is_same_v<T, half> ? 0x1p-11 : 0x1p-8;

template <class T>
cuda::Tensor<T> upload_as(const cuda::Device& device, const Array& array) {
  return Cuda<T>::from_host(device, array.shape, array.values);
}
/// A parameter with a value for each channel.
template <class T>
cuda::Tensor<T> upload_channels(const cuda::Device& device, const Array& array) {
  return Cuda<T>::weight_from_host(device, WeightLayout::plain, array.shape, array.values);
}
template <class T>
Array download_from(const cuda::Tensor<T>& tensor) {
  Array array{tensor.shape(), std::vector<float>(static_cast<std::size_t>(tensor.shape().numel()))};
  Cuda<T>::to_host(tensor, array.values);
  return array;
}
/// Values that T holds exactly.
template <class T>
Array rounded_to(const Array& array) {
  return download_from(upload_as<T>(cuda::Device(), array));
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

}  // namespace dformer::testing
