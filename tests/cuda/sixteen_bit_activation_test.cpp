// GELU in half and bfloat16, which is made without erf: of every value there is, beside the double of it.
#include <cmath>
#include <limits>
#include <vector>

#include <cuda/sixteen_bit.hpp>

#include <dformer/backend/cuda/gradients/gradients.hpp>

namespace dformer::testing {
namespace {

template <class T>
Array every_value() {
  Array all{{65536}, {}};
  for (unsigned bits = 0; bits < 65536; ++bits) {
    const auto value = static_cast<std::uint16_t>(bits);
    all.values.push_back(std::is_same_v<T, half> ? half_to_float(value) : bfloat16_to_float(value));
  }
  return all;
}

double gelu(double x) {
  return 0.5 * x * std::erfc(-x / std::sqrt(2.0));
}
double gelu_derivative(double x) {
  return 0.5 * std::erfc(-x / std::sqrt(2.0)) +
         x * std::exp(-0.5 * x * x) / std::sqrt(2 * 3.14159265358979324);
}

/// The tail is within 1e-7, its product with x within 1e-6, and the result rounded once.
template <class T>
void expect_gelu() {
  const Array x = every_value<T>(), ones{x.shape, std::vector<float>(x.values.size(), 1.0f)};
  const Array y = download_from(Cuda<T>::activate(upload_as<T>(x), Activation::gelu));
  const Array dx =
      download_from(Gradients<Cuda<T>>::activation(upload_as<T>(x), Activation::gelu, upload_as<T>(ones)));
  for (std::size_t i = 0; i < x.values.size(); ++i) {
    const double value = static_cast<double>(x.values[i]);
    if (std::isnan(value)) {
      ASSERT_TRUE(std::isnan(y.values[i])) << i;
    } else if (std::isinf(value)) {
      ASSERT_EQ(y.values[i], value > 0 ? std::numeric_limits<float>::infinity() : 0.0f);
      ASSERT_EQ(dx.values[i], value > 0 ? 1.0f : 0.0f);
    } else {
      ASSERT_NEAR(y.values[i], gelu(value), unit_roundoff<T> * std::abs(gelu(value)) + 1e-6) << value;
      ASSERT_NEAR(dx.values[i], gelu_derivative(value),
                  unit_roundoff<T> * std::abs(gelu_derivative(value)) + 1e-6)
          << value;
    }
  }
}
TEST(SixteenBitActivation, GeluOfEveryValue) {
  expect_gelu<half>();
  expect_gelu<bfloat16>();
}

}  // namespace
}  // namespace dformer::testing
