#include <cmath>

#include <backend/naive_conv2d_gradients.hpp>
#include <backend/naive_linear.hpp>

/// Products and convolutions in 16 bits, against those of the rounded operands in double.
namespace dformer::testing {
namespace {

/// Half the distance of neighbouring values, relative to them.
template <class T>
constexpr double unit_roundoff = std::is_same_v<T, half> ? 0x1p-11 : 0x1p-8;

template <class T>
class Products : public ::testing::Test {
 protected:
  using Backend = Cuda<T>;

  /// Values that T holds.
  Array random(const Shape& shape, unsigned seed) const {
    Array array = random_array(shape, seed);
    Backend::to_host(Backend::from_host(device, shape, array.values), array.values);
    return array;
  }
  typename Backend::Tensor tensor(const Array& array) const {
    return Backend::from_host(device, array.shape, array.values);
  }
  typename Backend::Tensor channels(const Array& array) const {
    return Backend::weight_from_host(device, WeightLayout::plain, array.shape, array.values);
  }
  typename Backend::Tensor weight(const Array& array) const {
    return Backend::weight_from_host(device, WeightLayout::dense, array.shape, array.values);
  }
  static Array values(const typename Backend::Tensor& tensor) {
    Array array{tensor.shape(), std::vector<float>(static_cast<std::size_t>(tensor.shape().numel()))};
    Backend::to_host(tensor, array.values);
    return array;
  }

  /// Products of two values of T are exact in float, and a sum of less than 1000 of them, each below 1, is
  /// off by less than 1000 * 1000 * 2^-24 = 0.06 of the last bit that half keeps of 1000: what is left is the
  /// rounding of the results.
  void expect_rounded(const Array& actual, const Array& expected, const char* what) const {
    ASSERT_EQ(to_string(actual.shape), to_string(expected.shape)) << what;
    for (std::size_t i = 0; i < expected.values.size(); ++i) {
      const double value = static_cast<double>(expected.values[i]);
      ASSERT_NEAR(actual.values[i], value, 1.1 * unit_roundoff<T> * std::abs(value) + 1e-4)
          << what << ", element " << i;
    }
  }

  TestBackend::Device device;
};
using Types = ::testing::Types<half, bfloat16>;
TYPED_TEST_SUITE(Products, Types);

TYPED_TEST(Products, Linear) {
  using B = typename TestFixture::Backend;
  const Array x = this->random({7, 40}, 1), w = this->random({24, 40}, 2);
  const std::array inputs{this->tensor(x)};
  this->expect_rounded(this->values(B::linear(inputs, this->weight(w), {})), naive_linear(x, w), "linear");
}

/// The sums are rounded before the epilogue, which multiplies their error by at most the 1.13 of gelu's
/// steepest slope, as its factors are below 1; the result is rounded once more.
TYPED_TEST(Products, Epilogue) {
  using B = typename TestFixture::Backend;
  for (const std::int64_t outputs : {24, 19}) {  // whole packs, and elements
    const Array x = this->random({7, 40}, 1), w = this->random({outputs, 40}, 2);
    const NaiveEpilogue naive{.scale = random_array({outputs}, 3),
                              .shift = random_array({outputs}, 4),
                              .activation = Activation::gelu,
                              .multiply = this->random({7, outputs}, 5),
                              .layer_scale = random_array({outputs}, 6),
                              .residual = this->random({7, outputs}, 7),
                              .final_activation = Activation::relu};
    const Epilogue<typename B::Tensor> epilogue{.scale = this->channels(*naive.scale),
                                                .shift = this->channels(*naive.shift),
                                                .activation = naive.activation,
                                                .multiply = this->tensor(*naive.multiply),
                                                .layer_scale = this->channels(*naive.layer_scale),
                                                .residual = this->tensor(*naive.residual),
                                                .final_activation = naive.final_activation};
    const std::array inputs{this->tensor(x)};
    const Array actual = this->values(B::linear(inputs, this->weight(w), epilogue));
    const Array sums = naive_linear(x, w), expected = naive_linear(x, w, naive);
    for (std::size_t i = 0; i < expected.values.size(); ++i) {
      const double bound = std::abs(1.13 * static_cast<double>(sums.values[i])) +
                           std::abs(static_cast<double>(expected.values[i]));
      ASSERT_NEAR(actual.values[i], expected.values[i], 1.1 * unit_roundoff<TypeParam> * bound + 1e-4) << i;
    }
  }
}

/// More elements than a grid has threads, so that each goes on to others, of other channels.
TYPED_TEST(Products, EpilogueOfManyRows) {
  using B = typename TestFixture::Backend;
  constexpr std::int64_t rows = 350003;
  const Array ones{{rows, 1}, std::vector<float>(rows, 1.0f)};
  const std::array inputs{this->tensor(ones)};
  const auto w = this->weight({{3, 1}, {1.0f, 1.0f, 1.0f}});
  const Array y = this->values(B::linear(inputs, w, {.scale = this->channels({{3}, {1.0f, 2.0f, 4.0f}})}));
  for (std::size_t i = 0; i < y.values.size(); ++i) {
    ASSERT_EQ(y.values[i], i % 3 == 0 ? 1.0f : i % 3 == 1 ? 2.0f : 4.0f) << i;
  }
}

TYPED_TEST(Products, EpilogueTakesFloat32ForChannels) {
  using B = typename TestFixture::Backend;
  const std::array inputs{this->tensor(random_array({2, 3}, 1))};
  const auto w = this->weight(random_array({4, 3}, 2));
  EXPECT_EQ(
      message_of<ShapeError>([&] { B::linear(inputs, w, {.scale = this->tensor(random_array({4}, 1))}); }),
      "[linear] a value for each channel must be float32, as weight_from_host makes it; got (4)");
  EXPECT_EQ(message_of<ShapeError>([&] {
              B::linear(inputs, w, {.residual = this->channels(random_array({2, 4}, 1))});
            }),
            "[linear] what is added or multiplied must have the backend's type; got (2, 4)");
}

TYPED_TEST(Products, LinearGradients) {
  using B = typename TestFixture::Backend;
  const Array x = this->random({30, 12}, 1), w = this->random({20, 12}, 2), dy = this->random({30, 20}, 3);
  const ConvolutionGradient expected = naive_conv2d_gradients(
      {{1, 1, 30, 12}, x.values}, {{20, 12, 1, 1}, w.values}, {{1, 1, 30, 20}, dy.values}, {}, false);
  const std::array inputs{this->tensor(x)};
  this->expect_rounded(this->values(Gradients<B>::linear_input(this->tensor(dy), this->weight(w))),
                       {{30, 12}, expected.input.values}, "input");
  const auto dw = Gradients<B>::linear_weight(inputs, this->tensor(dy), w.shape);
  EXPECT_TRUE(dw.is_full());
  expect_close(this->values(dw), {{20, 12}, expected.weight.values}, 1e-5, "weight");
}

TYPED_TEST(Products, Convolution) {
  using B = typename TestFixture::Backend;
  const Window window{.kernel = 3, .stride = 2, .padding = 1};
  const Array x = this->random({2, 5, 7, 8}, 1), w = this->random({16, 8, 3, 3}, 2);
  const Array dy = this->random({2, 3, 4, 16}, 3);
  // The convolution of x is the gradient that dy has with respect to the input, the other way round: its sum
  // with dy is the sum of x with that gradient.
  const auto expected = naive_conv2d_gradients(x, w, dy, window, false);
  const auto actual = conv2d_gradients<B>(this->device, x, w, dy, window, false);
  this->expect_rounded(actual.input, expected.input, "input");
  this->expect_rounded(actual.weight, expected.weight, "weight");
  const Array y = this->values(B::conv2d(this->tensor(x), this->weight(w), window, {}));
  double forward = 0, backward = 0, size = 0;
  for (std::size_t i = 0; i < dy.values.size(); ++i) {
    forward += static_cast<double>(y.values[i]) * static_cast<double>(dy.values[i]);
    size += std::abs(static_cast<double>(y.values[i]) * static_cast<double>(dy.values[i]));
  }
  for (std::size_t i = 0; i < x.values.size(); ++i) {
    backward += static_cast<double>(x.values[i]) * static_cast<double>(expected.input.values[i]);
  }
  EXPECT_NEAR(forward, backward, 1.1 * unit_roundoff<TypeParam> * size + 1e-4);
}

}  // namespace
}  // namespace dformer::testing
