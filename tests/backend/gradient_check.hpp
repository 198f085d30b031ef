#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <backend/gradients_under_test.hpp>

/// Gradients against values in double, and on the CPU, in double, against the differences of what they are
/// gradients of.
namespace dformer::testing {

/// `actual` to values in double; the tolerance is relative to the largest of them, or to 1.
inline void expect_near_all(const Array& actual, const std::vector<double>& expected, double tolerance,
                            const std::string& what) {
  ASSERT_EQ(actual.values.size(), expected.size()) << what;
  double most = 1;
  for (const double value : expected) most = std::max(most, std::abs(value));
  double worst = 0;
  std::size_t where = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const double error = std::abs(static_cast<double>(actual.values[i]) - expected[i]);
    if (!(error <= worst)) {
      worst = error;
      where = i;
      if (std::isnan(error)) break;
    }
  }
  EXPECT_LE(worst, tolerance * most) << what << ": element " << where << " is " << actual.values[where]
                                     << ", expected " << expected[where];
}

#if !defined(DFORMER_TEST_CUDA)
using DoubleTensor = cpu::Tensor<double>;

inline DoubleTensor upload_double(const cpu::Device& device, const Array& array) {
  return Cpu<double>::from_host(device, array.shape, array.values);
}

/// The sum of products: a loss whose gradient with respect to a is b.
inline double dot(const DoubleTensor& a, const DoubleTensor& b) {
  double sum = 0;
  for (std::int64_t i = 0; i < a.shape().numel(); ++i) sum += a.data()[i] * b.data()[i];
  return sum;
}

/// The largest difference between `gradient` and the central differences of loss(), over the elements of x;
/// `loss` reads x through a handle of its own.
template <class Loss>
double largest_deviation(DoubleTensor x, const DoubleTensor& gradient, const Loss& loss, double step = 1e-5) {
  EXPECT_EQ(x.shape(), gradient.shape());
  double worst = 0;
  for (std::int64_t i = 0; i < x.shape().numel(); ++i) {
    const double value = x.data()[i];
    x.data()[i] = value + step;
    const double above = loss();
    x.data()[i] = value - step;
    const double below = loss();
    x.data()[i] = value;
    const double deviation = std::abs((above - below) / (2 * step) - gradient.data()[i]);
    if (!(deviation <= worst)) worst = deviation;
    if (std::isnan(worst)) return worst;
  }
  return worst;
}

/// The same elements in both, bit for bit.
template <class T>
bool identical(const cpu::Tensor<T>& a, const cpu::Tensor<T>& b) {
  return a.shape() == b.shape() && std::equal(a.data(), a.data() + a.shape().numel(), b.data());
}

/// `actual`, of either element type, to values in double.
template <class T>
void expect_near_all(const cpu::Tensor<T>& actual, const std::vector<double>& expected, double tolerance,
                     const std::string& what) {
  ASSERT_EQ(actual.shape().numel(), static_cast<std::int64_t>(expected.size())) << what;
  double most = 1;
  for (const double value : expected) most = std::max(most, std::abs(value));
  double worst = 0;
  std::size_t where = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const double error = std::abs(static_cast<double>(actual.data()[i]) - expected[i]);
    if (!(error <= worst)) {
      worst = error;
      where = i;
      if (std::isnan(error)) break;
    }
  }
  EXPECT_LE(worst, tolerance * most) << what << ": element " << where << " is " << actual.data()[where]
                                     << ", expected " << expected[where];
}
#endif

}  // namespace dformer::testing
